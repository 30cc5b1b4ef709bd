//! The form of an answer, and the row of an object.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| apiserver::fuzz::table(input));
