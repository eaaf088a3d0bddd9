#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::tn_auth_list(data));
