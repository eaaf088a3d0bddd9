#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::es256(data));
