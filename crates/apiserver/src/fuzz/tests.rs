//! The fuzzers' corpus, and some thousand inputs that are made of it, always the same ones.

use std::{fs, path::Path};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

/// How many inputs are made for each target.
const INPUTS: usize = 2000;
/// Longer ones are cut: an input doubles when it is put together of two.
const INPUT_BYTES_MAX: usize = 8 << 10;
/// What JSON, selectors and the like are made of.
const WORDS: [&str; 24] = [
    "\0", "{", "}", "[", "]", "\"", ":", ",", "null", "true", "-1", "1e9", "\\u0000", "é", "$patch", "name",
    "metadata", "delete", "/", "~1", "!=", " in (", ")", "*",
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Changes an input a little, or a lot.
fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut StdRng) {
    let at = |random: &mut StdRng, input: &[u8]| random.random_range(0..=input.len());
    let range = |random: &mut StdRng, input: &[u8]| {
        let (one, other) = (at(random, input), at(random, input));
        one.min(other)..one.max(other)
    };
    match random.random_range(0..6) {
        0 => _ = input.drain(range(random, input)),
        1 => {
            let (to, copied) = (at(random, input), input[range(random, input)].to_vec());
            input.splice(to..to, copied);
        }
        2 => {
            let other = &corpus[random.random_range(0..corpus.len())];
            let (to, from) = (range(random, input), range(random, other));
            input.splice(to, other[from].iter().copied());
        }
        3 if !input.is_empty() => {
            let at = random.random_range(0..input.len());
            input[at] = random.random();
        }
        _ => {
            let (to, word) = (at(random, input), WORDS[random.random_range(0..WORDS.len())]);
            input.splice(to..to, word.bytes());
        }
    }
    input.truncate(INPUT_BYTES_MAX);
}

/// Runs a target over its corpus, and over inputs made of it.
fn run(name: &str, target: fn(&[u8])) {
    let corpus = corpus(name);
    assert!(corpus.len() >= 3, "{name} has too few examples");
    corpus.iter().for_each(|input| target(input));
    let mut random = StdRng::seed_from_u64(1);
    for number in 0..INPUTS {
        let mut input = corpus[number % corpus.len()].clone();
        for _ in 0..random.random_range(1..6) {
            mutate(&mut input, &corpus, &mut random);
        }
        let outcome = std::panic::catch_unwind(|| target(&input));
        assert!(outcome.is_ok(), "{name}: input {number}: {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn patches() {
    run("patch", patch);
}

#[test]
fn configurations() {
    run("apply", apply);
}

#[test]
fn selectors() {
    run("selector", selector);
}

#[test]
fn tables() {
    run("table", table);
}

#[test]
fn what_is_stored() {
    run("stored", stored);
}
