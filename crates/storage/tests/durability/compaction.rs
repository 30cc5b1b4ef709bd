//! How much disk is used.

use std::{path::Path, sync::Arc};

use storage::objects::{Durability, ObjectStore, Op, Options, Stats};

use super::{
    disk::{Chance, SimulatedDisk},
    durable,
    history::DIR,
    small,
};

const SEGMENT: u64 = 4000;

fn options() -> Options {
    Options { segment_bytes_max: SEGMENT, ..small() }
}

fn open(disk: &SimulatedDisk) -> ObjectStore {
    ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), options()).unwrap().0
}

fn put(store: &ObjectStore, key: usize, value_len: usize) -> Stats {
    let value = Op::bytes(vec![key as u8; value_len]);
    let version = store.append(&format!("key-{key:04}"), value, Durability::Wait).unwrap();
    durable(store, version).unwrap();
    store.stats()
}

fn check(stats: Stats, case: &str) {
    let limit = stats.live_bytes * 3 + 4 * SEGMENT;
    assert!(stats.disk_bytes <= limit, "{case}: {} bytes on disk, limit {limit}", stats.disk_bytes);
}

#[test]
fn the_disk_stays_within_three_times_what_is_live() {
    /// Which key the i-th write goes to.
    type Pattern = fn(&mut Chance, usize) -> usize;
    let cases: [(&str, Pattern); 4] = [
        ("all keys in turn", |_, i| i % 200),
        ("any key", |chance, _| chance.below(200)),
        ("one key in a hundred", |_, i| i % 2 * 100),
        ("nine of ten writes to ten keys", |chance, i| chance.below(if i % 10 == 0 { 200 } else { 10 })),
    ];
    for (case, key) in cases {
        let disk = SimulatedDisk::default();
        let store = open(&disk);
        let mut chance = Chance(4);
        (0..200).for_each(|key| check(put(&store, key, 150), case));
        for i in 0..3000 {
            check(put(&store, key(&mut chance, i), 150), case);
        }
        drop(store);
        let store = open(&disk);
        assert_eq!(store.stats().keys, 200, "{case}");
        check(store.stats(), case);
        for key in 0..200 {
            let (_, value) = store.get(&format!("key-{key:04}")).unwrap().unwrap();
            assert_eq!(value, vec![key as u8; 150], "{case}");
        }
    }
}

#[test]
fn tombstones_go_in_the_end() {
    let disk = SimulatedDisk::default();
    let store = open(&disk);
    for i in 0..3000 {
        put(&store, i, 20);
        let version = store.append(&format!("key-{i:04}"), Op::Delete, Durability::Wait).unwrap();
        durable(&store, version).unwrap();
        check(store.stats(), "created and deleted");
    }
    drop(store);
    let store = open(&disk);
    assert_eq!(store.scan("").count(), 0);
    assert!(store.stats().disk_bytes < 4 * SEGMENT);
}

#[test]
fn reading_goes_on_while_segments_are_removed() {
    let disk = SimulatedDisk::default();
    let store = open(&disk);
    put(&store, 0, 100);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..3000 {
                put(&store, 1 + i % 3, 100);
            }
        });
        while !writer.is_finished() {
            let (_, value) = store.get("key-0000").unwrap().unwrap();
            assert_eq!(value, vec![0; 100]);
        }
    });
}
