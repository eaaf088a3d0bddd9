#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::rich_call_data(data));
