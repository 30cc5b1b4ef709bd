//! Versions, the queue, and what one sync covers.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use storage::{
    Error,
    objects::{Durability, Encode, ObjectStore, Op, Options},
};

use super::{disk::SimulatedDisk, durable, history::DIR, small};

/// A value whose encoding waits until the other end is dropped: holds the writer where it is.
struct Gate {
    reached: Sender<()>,
    opened: Mutex<Receiver<()>>,
}

impl Encode for Gate {
    fn encode(&self) -> Bytes {
        let _ = self.reached.send(());
        let _ = self.opened.lock().recv();
        Bytes::new()
    }
}

/// Stops the writer inside a commit; it goes on when the result is dropped.
fn hold_writer(store: &ObjectStore) -> Sender<()> {
    let (reached, is_reached) = channel();
    let (open, opened) = channel();
    let gate = Op::Put(Arc::new(Gate { reached, opened: Mutex::new(opened) }));
    store.append("gate", gate, Durability::Wait).unwrap();
    is_reached.recv().unwrap();
    open
}

fn open(disk: &SimulatedDisk, options: Options) -> ObjectStore {
    ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap().0
}

#[test]
fn what_is_queued_is_written_with_one_sync() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, Options::default());
    let gate = hold_writer(&store);
    let before = disk.syncs();
    let versions: Vec<_> = (0..100)
        .map(|i| store.append(&format!("key-{i}"), Op::bytes("value"), Durability::Wait).unwrap())
        .collect();
    assert_eq!(versions, (2..102).collect::<Vec<_>>());
    drop(gate);
    durable(&store, 101).unwrap();
    assert_eq!(disk.syncs() - before, 2, "the held commit and one more");
}

#[test]
fn a_lazy_change_becomes_durable_by_itself_and_an_urgent_one_takes_it_along() {
    let store = open(&SimulatedDisk::default(), Options::default());
    let version = store.append("a", Op::bytes("1"), Durability::Soon).unwrap();
    durable(&store, version).unwrap();

    let lazy = store.append("a", Op::bytes("2"), Durability::Soon).unwrap();
    let urgent = store.append("b", Op::bytes("2"), Durability::Wait).unwrap();
    durable(&store, urgent).unwrap();
    assert!(store.stats().last_durable >= lazy);
}

/// The fastest of some counts: a machine that is busy makes any of them slow.
#[test]
fn a_lazy_change_waits_no_longer_than_20_ms() {
    let store = open(&SimulatedDisk::default(), Options::default());
    let fastest = (0..20).map(|_| {
        let begun = tokio::time::Instant::now();
        let version = store.append("a", Op::bytes("1"), Durability::Soon).unwrap();
        durable(&store, version).unwrap();
        begun.elapsed()
    });
    let fastest = fastest.min().unwrap();
    assert!(fastest <= std::time::Duration::from_millis(20), "{fastest:?}");
}

#[test]
fn a_full_queue_refuses_and_recovers() {
    let cases = [
        ("bytes", Options { queue_bytes_max: 1000, ..small() }),
        ("changes", Options { version_block: 8, ..small() }),
    ];
    for (what, options) in cases {
        let store = open(&SimulatedDisk::default(), options);
        let gate = hold_writer(&store);
        let put = || store.append("a", Op::bytes(vec![0; 100]), Durability::Soon);
        let refused = (0..100).find_map(|_| put().err()).expect("100 changes are too many");
        assert!(matches!(refused, Error::Overloaded { what: w, .. } if w == what), "{what}: {refused}");
        let last = store.stats().last;
        drop(gate);
        durable(&store, last).unwrap();
        assert_eq!(put().unwrap(), last + 1, "a refused change takes no version");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let options = Options { key_bytes_max: 10, value_bytes_max: 100, ..small() };
    let store = open(&SimulatedDisk::default(), options);
    for (key, len, what) in [("12345678901", 1, "key"), ("a", 101, "value")] {
        let refused = store.append(key, Op::bytes(vec![0; len]), Durability::Wait);
        assert!(matches!(refused, Err(Error::TooLarge { what: w, .. }) if w == what));
    }
    assert_eq!(store.append("1234567890", Op::bytes(vec![0; 100]), Durability::Wait).unwrap(), 1);
}

#[test]
fn a_value_may_contain_its_version() {
    let store = open(&SimulatedDisk::default(), small());
    let put = || store.append_with(&"a".into(), Durability::Wait, |version| Op::bytes(version.to_string()));
    put().unwrap();
    let version = put().unwrap();
    assert_eq!(store.get("a").unwrap().unwrap(), (version, Bytes::from("2")));
    durable(&store, version).unwrap();
    assert_eq!(store.get("a").unwrap().unwrap(), (version, Bytes::from("2")));
}

#[test]
fn a_panicking_value_fails_the_store_and_nobody_waits_for_ever() {
    struct Panics;
    impl Encode for Panics {
        fn encode(&self) -> Bytes {
            panic!("on purpose")
        }
    }
    let store = open(&SimulatedDisk::default(), small());
    let version = store.append("a", Op::Put(Arc::new(Panics)), Durability::Wait).unwrap();
    let error = durable(&store, version).unwrap_err();
    assert!(matches!(&error, Error::Failed(cause) if matches!(**cause, Error::WriterPanicked)), "{error}");
}

#[test]
fn scanning_walks_a_prefix_in_order() {
    let store = open(&SimulatedDisk::default(), Options::default());
    let keys = |prefix: &str| (0..1500).map(|i| format!("{prefix}/{i:04}")).collect::<Vec<_>>();
    for key in ["a", "b", "c"].iter().flat_map(|prefix| keys(prefix)).rev() {
        store.append(&key, Op::bytes("x"), Durability::Soon).unwrap();
    }
    let found: Vec<_> = store.scan("b/").map(|(key, _)| key.to_string()).collect();
    assert_eq!(found, keys("b"));
    assert_eq!(store.scan("").count(), 4500);
    assert_eq!(store.scan("b/00").count(), 100);
    assert_eq!(store.scan("d").count(), 0);
}

#[test]
fn one_store_per_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = ObjectStore::open(dir.path(), small()).unwrap();
    let refused = ObjectStore::open(dir.path(), small()).err().unwrap();
    assert!(matches!(&refused, Error::Locked { dir: named } if named == dir.path()));
    store.close().unwrap();
    assert!(matches!(store.append("a", Op::Delete, Durability::Wait), Err(Error::Closed)));
    ObjectStore::open(dir.path(), small()).unwrap();
}
