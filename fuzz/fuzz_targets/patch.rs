//! A patch of an object, as each kind of patch.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| apiserver::fuzz::patch(input));
