//! Bytes that were synced are not what was written.

use std::{path::Path, sync::Arc};

use storage::{
    Error,
    objects::{Durability, ObjectStore, Op},
};

use super::{disk::SimulatedDisk, durable, history::DIR, small};

/// A closed store with three segments or more.
fn written() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    let (store, _) = ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), small()).unwrap();
    for i in 0..20 {
        let version =
            store.append(&format!("key-{i}"), Op::bytes(vec![i + 1; 200]), Durability::Wait).unwrap();
        durable(&store, version).unwrap();
    }
    store.close().unwrap();
    assert!(disk.files("segment").len() >= 3);
    disk
}

fn open(disk: &SimulatedDisk) -> storage::Result<ObjectStore> {
    ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), small()).map(|(store, _)| store)
}

fn without_hints(disk: &SimulatedDisk) -> SimulatedDisk {
    disk.files("hint").iter().fold(disk.clone(), |disk, hint| disk.with_file(hint, Vec::new()))
}

#[test]
fn a_flipped_byte_is_refused_with_its_place() {
    let disk = without_hints(&written());
    let segments = disk.files("segment");
    for path in &segments[..2] {
        let bytes = disk.bytes(path);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            match open(&disk.with_file(path, damaged)).err() {
                Some(Error::Corrupt { path: named, offset, .. }) => {
                    assert_eq!(&named, path);
                    let at = at as u64;
                    assert!(offset <= at && at - offset < 300, "flipped {at}, said {offset}");
                }
                Some(Error::UnknownFormat { found, .. }) => assert!((8..12).contains(&at), "{at}: {found}"),
                other => panic!("flipped {at}: {other:?}"),
            }
        }
    }
}

/// Also not in the last commit, which is what a crash can have torn: a changed byte is not a missing one.
#[test]
fn no_flipped_byte_passes_for_a_torn_end() {
    let killed = {
        let disk = SimulatedDisk::default();
        let (store, _) = ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), small()).unwrap();
        for i in 0..20 {
            let value = Op::bytes(vec![i + 1; 300]);
            let version = store.append(&format!("key-{i}"), value, Durability::Wait).unwrap();
            durable(&store, version).unwrap();
        }
        disk.after_kill()
    };
    for disk in [without_hints(&written()), without_hints(&killed)] {
        let path = disk.files("segment").pop().unwrap();
        let bytes = disk.bytes(&path);
        for (at, bits) in (0..bytes.len()).flat_map(|at| [(at, 1), (at, 0xff)]) {
            let mut damaged = bytes.clone();
            damaged[at] ^= bits;
            let opened = open(&disk.with_file(&path, damaged)).map(drop);
            let refused = matches!(opened, Err(Error::Corrupt { .. } | Error::UnknownFormat { .. }));
            assert!(refused, "flipped {at} of {}: {opened:?}", bytes.len());
        }
        assert_eq!(open(&disk).unwrap().stats().keys, 20);
    }
}

#[test]
fn damage_behind_a_hint_is_found_by_reading() {
    let disk = written();
    let path = disk.files("segment").remove(0);
    let mut bytes = disk.bytes(&path);
    let at = bytes.len() - 1;
    bytes[at] ^= 1;
    let store = open(&disk.with_file(&path, bytes)).unwrap();
    let errors: Vec<_> = (0..20).filter_map(|i| store.get(&format!("key-{i}")).err()).collect();
    let [Error::Failed(cause)] = &errors[..] else { panic!("{errors:?}") };
    assert!(matches!(&**cause, Error::Corrupt { path: named, .. } if *named == path), "{cause}");
    // Who would write on what does not give back what it took?
    let refused = store.append("a", Op::Delete, Durability::Wait);
    assert!(matches!(refused, Err(Error::Failed(_))), "{refused:?}");
}

#[test]
fn damage_met_by_compaction_stops_the_store_and_is_not_copied() {
    let disk = written();
    let path = disk.files("segment").remove(0);
    let mut bytes = disk.bytes(&path);
    let at = bytes.len() - 1;
    bytes[at] ^= 1;
    let disk = disk.with_file(&path, bytes.clone());
    let store = open(&disk).unwrap();
    // Tombstones, so that no segment is removed without being looked through.
    let failed = (0..1000).find_map(|_| {
        let delete = store.append("key-19", Op::Delete, Durability::Wait);
        delete.and_then(|version| durable(&store, version)).err()
    });
    let Some(Error::Failed(cause)) = failed else { panic!("{failed:?}") };
    assert!(matches!(&*cause, Error::Corrupt { path: named, .. } if *named == path), "{cause}");
    assert_eq!(disk.bytes(&path), bytes, "left for whoever repairs it");
}

#[test]
fn an_unknown_format_is_refused_and_left_alone() {
    let disk = written();
    let path = disk.files("segment").remove(0);
    let mut bytes = disk.bytes(&path);
    bytes[8] = 9;
    let disk = disk.with_file(&path, bytes.clone());
    let error = open(&disk).err().unwrap();
    assert!(matches!(error, Error::UnknownFormat { found: 9, known: 2, .. }), "{error}");
    assert_eq!(disk.bytes(&path), bytes);
}

#[test]
fn hints_that_are_damaged_are_not_believed() {
    let disk = written();
    for hint in disk.files("hint") {
        let bytes = disk.bytes(&hint);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 2;
            let store = open(&disk.with_file(&hint, damaged)).unwrap();
            assert!((0..20).all(|i| store.get(&format!("key-{i}")).unwrap().is_some()), "flipped {at}");
        }
    }
}
