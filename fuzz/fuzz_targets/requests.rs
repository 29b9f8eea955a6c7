#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| moa_decoders::requests::requests(bytes));
