#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| capable::fuzzing::run("symbol_name", data));
