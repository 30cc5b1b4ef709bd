//! A process that writes to a real disk is killed, again and again.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use storage::objects::{Durability, ObjectStore, Op, Options, Version};

use super::{disk::Chance, durable};

const CHILD_DIR: &str = "STORAGE_KILL_TEST_DIR";
const ROUNDS: usize = 10;
const KEYS: u64 = 50;

fn options() -> Options {
    // Segments fill and are compacted within a round.
    Options { segment_bytes_max: 32 << 10, version_block: 1000, ..Options::default() }
}

/// The n-th write goes to key n mod KEYS and says n.
fn value(n: u64) -> Vec<u8> {
    n.to_le_bytes().repeat(1 + n as usize % 60)
}

/// Writes for ever in the child, tells what it was given and what is durable; nothing in the test proper.
#[test]
fn child() {
    let Some(dir) = env::var_os(CHILD_DIR) else { return };
    let (store, recovered) = ObjectStore::open(Path::new(&dir), options()).unwrap();
    let mut out = std::io::stdout().lock();
    let found = store.scan("").map(|(key, _)| number(&store.get(&key).unwrap().unwrap().1)).max();
    let first = found.map_or(0, |n| n + 1);
    writeln!(out, "\nopened {} {first}", recovered.next).unwrap();
    for n in first.. {
        let durability = if n % 4 == 0 { Durability::Wait } else { Durability::Soon };
        let version = store.append(&format!("key-{}", n % KEYS), Op::bytes(value(n)), durability).unwrap();
        writeln!(out, "given {version} {n}").unwrap();
        if n % 4 == 0 {
            durable(&store, version).unwrap();
            writeln!(out, "durable {version} {n}").unwrap();
        }
    }
}

fn number(value: &[u8]) -> u64 {
    u64::from_le_bytes(value[..8].try_into().unwrap())
}

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let dir = tempfile::tempdir().unwrap();
    let mut chance = Chance(5);
    let mut given: Version = 0;
    for round in 0..ROUNDS {
        let acknowledged = run_and_kill(dir.path(), 200 + chance.below(3000), &mut given);
        let (store, recovered) = ObjectStore::open(dir.path(), options()).unwrap();
        assert!(!recovered.clean);
        assert!(recovered.next > given, "round {round}: {given} was given, next is {}", recovered.next);
        let mut found: Vec<u64> =
            store.scan("").map(|(key, _)| number(&store.get(&key).unwrap().unwrap().1)).collect();
        found.sort_unstable();
        let last = *found.last().unwrap();
        assert!(last >= acknowledged, "round {round}: {acknowledged} was acknowledged, {last} found");
        // A prefix of the history: the newest KEYS numbers, without a hole.
        let expected: Vec<u64> = ((last + 1).saturating_sub(KEYS)..=last).collect();
        assert_eq!(found, expected, "round {round}");
    }
}

/// Runs the child until it has said `lines` lines; gives the last number it called durable.
fn run_and_kill(dir: &Path, lines: usize, given: &mut Version) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        let (Some(what), Some(version), Some(n)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        match (what, version.parse::<Version>(), n.parse::<u64>()) {
            ("opened", Ok(next), _) => assert!(next > *given),
            ("given", Ok(version), _) => *given = version,
            ("durable", _, Ok(n)) => acknowledged = n,
            _ => continue,
        }
        count += 1;
        if count == lines {
            // What is in the pipe still counts: read on until it ends.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(count >= lines, "the child ended by itself after {count} lines");
    acknowledged
}
