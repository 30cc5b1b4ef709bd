//! Two configurations applied to an object.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| apiserver::fuzz::apply(input));
