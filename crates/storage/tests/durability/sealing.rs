//! What is encrypted on disk: nowhere to be read, bound to its key, and written anew when the key changes.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use storage::{
    Error,
    objects::{Durability, ObjectStore, Op, Options, SealKey, Sealing, Version},
};

use super::{disk::SimulatedDisk, durable, history::DIR, small};

const PREFIXES: &[&str] = &["secrets/"];
/// What must not be found on the disk.
const SECRET: &[u8] = b"correct horse battery staple";

fn key(number: u8) -> SealKey {
    SealKey::new(&[number; 32])
}

/// Seals with the first key.
pub(crate) fn sealed_with(prefixes: &'static [&'static str], keys: &[u8], options: Options) -> Options {
    let others = keys[1..].iter().map(|number| key(*number)).collect();
    Options { sealing: Some(Sealing::new(prefixes, key(keys[0]), others)), ..options }
}

fn open(disk: &SimulatedDisk, keys: &[u8]) -> storage::Result<ObjectStore> {
    let options = if keys.is_empty() { small() } else { sealed_with(PREFIXES, keys, small()) };
    ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), options).map(|(store, _)| store)
}

fn put(store: &ObjectStore, key: &str, number: usize) {
    let value = [SECRET, b" ", number.to_string().as_bytes()].concat();
    let version = store.append(key, Op::bytes(value), Durability::Wait).unwrap();
    durable(store, version).unwrap();
}

/// Some Secrets, and others that say the same openly: the search below must be able to find it.
fn write(store: &ObjectStore) {
    for number in 0..12 {
        put(store, &format!("secrets/{number}"), number);
        put(store, &format!("maps/{number}"), number);
    }
}

type Found = BTreeMap<String, (Version, Vec<u8>)>;

fn all(store: &ObjectStore) -> Found {
    let value = |key: &str| store.get(key).unwrap().unwrap();
    let entry = |(key, _): (Arc<str>, _)| {
        let (version, value) = value(&key);
        (key.to_string(), (version, value.to_vec()))
    };
    store.scan("").map(entry).collect()
}

fn files(disk: &SimulatedDisk) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let names = disk.files("segment").into_iter().chain(disk.files("hint"));
    names.map(|path| (path.clone(), disk.bytes(&path))).collect()
}

/// How often the secret text is on the disk behind the name of a Secret.
fn readable(disk: &SimulatedDisk) -> usize {
    let near = |bytes: &[u8]| {
        let at = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(SECRET));
        at.filter(|at| {
            let before = &bytes[at.saturating_sub(10)..*at];
            before.windows(8).any(|window| window == b"secrets/")
        })
        .count()
    };
    files(disk).values().map(|bytes| near(bytes)).sum()
}

/// Writes until nothing is left that compaction has to write anew.
fn settle(store: &ObjectStore) {
    for number in 0..10_000 {
        if store.stats().stale_segments == 0 {
            return;
        }
        put(store, "maps/0", number);
    }
    panic!("{:?}", store.stats());
}

#[test]
fn a_sealed_value_is_nowhere_to_be_read_on_disk() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, &[1]).unwrap();
    for _ in 0..20 {
        write(&store);
    }
    let before = all(&store);
    assert_eq!(readable(&disk), 0);
    store.close().unwrap();
    assert_eq!(readable(&disk), 0);
    assert!(files(&disk).values().any(|bytes| bytes.windows(SECRET.len()).any(|window| window == SECRET)));
    assert_eq!(all(&open(&disk, &[1]).unwrap()), before);
    // The same without: the search finds what is there to be found.
    let disk = SimulatedDisk::default();
    write(&open(&disk, &[]).unwrap());
    assert_eq!(readable(&disk), 12);
}

#[test]
fn without_its_key_a_directory_is_refused_and_left_alone() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, &[1]).unwrap();
    write(&store);
    let before = all(&store);
    drop(store);
    // As a kill leaves it: with work to do at the next start.
    let store = open(&disk, &[1]).unwrap();
    put(&store, "secrets/0", 0);
    let disk = disk.after_kill();
    let written = files(&disk);
    for keys in [&[][..], &[2], &[2, 3]] {
        let refused = open(&disk, keys).err().unwrap();
        assert!(matches!(refused, Error::KeyMissing { id, .. } if id == key(1).id()), "{refused}");
        assert!(refused.to_string().contains(&key(1).id().to_string()), "{refused}");
        assert_eq!(files(&disk), written, "{keys:?}");
    }
    let again = all(&open(&disk, &[1]).unwrap());
    assert_eq!(again.len(), before.len());
    assert_eq!(again["secrets/11"], before["secrets/11"]);
}

#[test]
fn after_a_change_of_the_key_the_old_one_is_not_needed_for_long() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, &[1]).unwrap();
    write(&store);
    drop(store);
    let store = open(&disk, &[2, 1]).unwrap();
    let before = all(&store);
    settle(&store);
    let mut after = all(&store);
    after.insert("maps/0".into(), before["maps/0"].clone());
    assert_eq!(after, before, "versions stay, too");
    drop(store);
    assert_eq!(readable(&disk), 0);
    assert_eq!(all(&open(&disk, &[2]).unwrap()).len(), before.len());
    assert!(matches!(open(&disk, &[1]).err(), Some(Error::KeyMissing { id, .. }) if id == key(2).id()));
}

/// As format 1 wrote it: the same without sealed values.
fn in_format_1(disk: &SimulatedDisk) -> SimulatedDisk {
    disk.files("segment").iter().fold(disk.clone(), |disk, path| {
        let mut bytes = disk.bytes(path);
        assert_eq!(bytes[8], 2);
        bytes[8] = 1;
        let crc = crc32c::crc32c(&bytes[..36]);
        bytes[36..40].copy_from_slice(&crc.to_le_bytes());
        disk.with_file(path, bytes)
    })
}

#[test]
fn what_was_written_before_there_was_sealing_is_read_and_then_sealed() {
    let disk = SimulatedDisk::default();
    write(&open(&disk, &[]).unwrap());
    for disk in [disk.after_kill(), in_format_1(&disk)] {
        let before = all(&open(&disk.after_kill(), &[]).unwrap());
        let store = open(&disk, &[1]).unwrap();
        assert_eq!(all(&store), before);
        settle(&store);
        assert_eq!(readable(&disk), 0);
        drop(store);
        assert_eq!(readable(&disk), 0);
        let mut after = all(&open(&disk, &[1]).unwrap());
        after.insert("maps/0".into(), before["maps/0"].clone());
        assert_eq!(after, before);
    }
}
