//! An object that is stored, with its managers.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| apiserver::fuzz::stored(input));
