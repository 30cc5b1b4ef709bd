//! Selectors of labels and of fields.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| apiserver::fuzz::selector(input));
