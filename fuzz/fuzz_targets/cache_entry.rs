#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::fetching::cache_entry(data));
