use std::sync::Arc;

use resources::{DynObject, Object, ObjectKey, builtin::ConfigMap, meta::ObjectMeta};

use super::*;
use crate::store::{facts::Facts, pairs::Interner};

const LIMITS: RingLimits = RingLimits {
    changes_max: 6,
    bytes_max: 2000,
    seen_changes_max: 4,
    seen_bytes_max: 1000,
    typed_max: 3,
    seen_typed_max: 1,
};

fn change(version: u64, size_hint: usize) -> Change {
    let metadata = ObjectMeta { name: Some("a".into()), ..ObjectMeta::default() };
    let object: Arc<dyn DynObject> = Arc::new(ConfigMap { metadata, ..ConfigMap::default() });
    let facts = Facts::with(&*object, &[], &mut Interner::new());
    let stored = Arc::new(Stored::hot(version, object, size_hint));
    let key = Key::of(<ConfigMap as Object>::kind(), &ObjectKey::new("default", "a"));
    let entry = Arc::new(Entry { key, version, facts });
    Change { kind: ChangeKind::Modified, before: None, after: State { stored, entry } }
}

/// Adds changes; returns the versions of those that are told to let go of their objects.
fn push(ring: &mut Ring, versions: impl IntoIterator<Item = u64>, size_hint: usize) -> Vec<u64> {
    let mut cooling = Vec::new();
    for version in versions {
        ring.push(change(version, size_hint));
        cooling.extend(ring.trim().iter().map(|change| change.version()));
    }
    cooling
}

fn versions(ring: &Ring, after: u64) -> Option<Vec<u64>> {
    ring.after(after).map(|changes| changes.map(|change| change.version()).collect())
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let mut ring = Ring::new(10, LIMITS);
    assert_eq!(versions(&ring, 9), None);
    assert_eq!(versions(&ring, 10), Some(vec![]));
    push(&mut ring, [12, 15, 16, 17, 20], 10);
    assert_eq!(versions(&ring, 11), None, "12 is gone");
    assert_eq!(versions(&ring, 12), Some(vec![15, 16, 17, 20]));
    assert_eq!(versions(&ring, 16), Some(vec![17, 20]));
    assert_eq!(versions(&ring, 20), Some(vec![]));
}

#[test]
fn the_oldest_go_when_they_are_too_large_but_the_newest_stays() {
    let mut ring = Ring::new(0, LIMITS);
    push(&mut ring, 1..=2, 600);
    assert_eq!(versions(&ring, 1), Some(vec![2]));
    assert_eq!(versions(&ring, 0), None);
    push(&mut ring, [3], 5000);
    assert_eq!(versions(&ring, 2), Some(vec![3]));
}

#[test]
fn what_a_watcher_has_not_seen_stays_until_it_is_far_behind() {
    let mut ring = Ring::new(0, LIMITS);
    let (slow, quick) = (ring.join(0), ring.join(0));
    push(&mut ring, 1..=6, 10);
    ring.seen(quick, 6);
    ring.trim();
    assert_eq!(versions(&ring, 0), Some(vec![1, 2, 3, 4, 5, 6]));
    ring.seen(slow, 1);
    ring.trim();
    assert_eq!(versions(&ring, 1), Some(vec![2, 3, 4, 5, 6]));
    ring.leave(slow);
    ring.trim();
    assert_eq!(versions(&ring, 2), Some(vec![3, 4, 5, 6]));
    let slow = ring.join(6);
    push(&mut ring, 7..=20, 10);
    assert_eq!(versions(&ring, 14), Some(vec![15, 16, 17, 18, 19, 20]));
    assert_eq!(versions(&ring, 13), None, "too far behind");
    ring.seen(slow, 20);
    ring.trim();
    assert_eq!(versions(&ring, 16), Some(vec![17, 18, 19, 20]));
}

#[test]
fn the_slowest_of_many_watchers_counts() {
    let mut ring = Ring::new(0, LIMITS);
    push(&mut ring, 1..=6, 10);
    let [one, two, three] = [3, 3, 5].map(|version| ring.join(version));
    // Who moves, to where, up to where all have seen everything then, and whether that is news.
    for (watcher, version, expect, moved) in
        [(three, 6, 3, false), (one, 4, 3, false), (two, 6, 4, true), (one, 4, 4, false), (one, 6, 6, true)]
    {
        assert_eq!((ring.seen(watcher, version), ring.positions.first()), (moved, expect), "{version}");
    }
    for (watcher, expect) in [(one, 6), (three, 6), (two, u64::MAX)] {
        ring.leave(watcher);
        assert_eq!(ring.positions.first(), expect);
    }
    assert!(ring.positions.0.is_empty() && ring.watchers.is_empty());
}

#[test]
fn typed_objects_go_once_they_are_seen_or_there_are_too_many() {
    let mut ring = Ring::new(0, LIMITS);
    let watcher = ring.join(0);
    assert!(push(&mut ring, 1..=3, 10).is_empty());
    assert_eq!(push(&mut ring, [4], 10), [1], "too many");
    ring.seen(watcher, 2);
    assert_eq!(push(&mut ring, [5], 10), [2]);
    ring.seen(watcher, 5);
    let cooling: Vec<_> = ring.trim().iter().map(|change| change.version()).collect();
    assert_eq!(cooling, [3, 4], "the newest stays typed");
    let newest = versions(&ring, 0);
    assert_eq!(newest, None);
}

#[test]
fn a_cooled_state_is_the_same_object() {
    let state = change(1, 10).after.stored;
    let json = state.object().unwrap().to_json();
    state.cool();
    assert_eq!(state.json(), json);
    assert_eq!(state.object().unwrap().to_json(), json);
}

/// A change of one object: from the state before it, which is `before_bytes` long, to another.
fn update(version: u64, before: Option<State>, after_bytes: usize) -> Change {
    Change { before, ..change(version, after_bytes) }
}

#[test]
fn the_states_before_changes_are_counted_once() {
    let mut ring = Ring::new(10, RingLimits { changes_max: 2, seen_changes_max: 2, ..LIMITS });
    let watcher = ring.join(10);
    // The first one's state is in nobody's hands but the ring's.
    ring.push(update(11, Some(change(9, 100).after), 200));
    assert_eq!(ring.bytes, 300);
    let first = ring.changes[0].change.after.clone();
    ring.push(update(12, Some(first), 300));
    assert_eq!(ring.bytes, 600);
    // The first change goes, and its state stays with the second.
    let second = ring.changes[1].change.after.clone();
    ring.push(update(13, Some(second), 400));
    ring.trim();
    assert_eq!(versions(&ring, 11), Some(vec![12, 13]));
    assert_eq!(ring.bytes, 200 + 300 + 400);
    ring.leave(watcher);
    while !ring.changes.is_empty() {
        ring.drop_oldest();
    }
    assert_eq!((ring.bytes, ring.successors.len()), (0, 0));
}

#[test]
fn a_guess_is_corrected_when_the_json_is_there() {
    let mut ring = Ring::new(0, LIMITS);
    ring.push(change(1, 500));
    let json = ring.changes[0].change.after.stored.json();
    assert!(json.len() < 200, "{json:?}");
    ring.push(change(2, 300));
    assert_eq!(ring.bytes, json.len() + 300);
    ring.drop_oldest();
    assert_eq!(ring.bytes, 300);
}
