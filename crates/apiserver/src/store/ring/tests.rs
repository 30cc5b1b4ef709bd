use std::sync::Arc;

use resources::{DynObject, builtin::ConfigMap, meta::ObjectMeta};
use storage::objects::Encode;

use super::*;
use crate::store::facts::Interner;

const LIMITS: RingLimits = RingLimits { changes_max: 4, bytes_max: 1000, hot_max: 2 };

fn change(version: u64, size_hint: usize) -> Change {
    let metadata = ObjectMeta { name: Some("a".into()), ..ObjectMeta::default() };
    let object: Arc<dyn DynObject> = Arc::new(ConfigMap { metadata, ..ConfigMap::default() });
    let facts = Facts::of(&*object, &mut Interner::new());
    let stored = Arc::new(Stored::hot(version, object, size_hint));
    let key = Arc::new(ObjectKey::new("default", "a"));
    Change { version, kind: ChangeKind::Modified, key, before: None, after: State { stored, facts } }
}

fn versions(ring: &Ring, after: u64) -> Option<Vec<u64>> {
    ring.after(after).map(|changes| changes.map(|change| change.version).collect())
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let mut ring = Ring::new(10, LIMITS);
    assert_eq!(versions(&ring, 9), None);
    assert_eq!(versions(&ring, 10), Some(vec![]));
    for version in [12, 15, 16, 17, 20] {
        ring.push(change(version, 10));
    }
    assert_eq!(versions(&ring, 11), None, "12 is gone");
    assert_eq!(versions(&ring, 12), Some(vec![15, 16, 17, 20]));
    assert_eq!(versions(&ring, 16), Some(vec![17, 20]));
    assert_eq!(versions(&ring, 20), Some(vec![]));
}

#[test]
fn the_oldest_go_when_they_are_too_large_but_the_newest_stays() {
    let mut ring = Ring::new(0, LIMITS);
    for version in 1..=3 {
        ring.push(change(version, 600));
    }
    assert_eq!(versions(&ring, 1), None);
    assert_eq!(versions(&ring, 2), Some(vec![3]));
}

#[test]
fn old_changes_keep_only_their_json_once_it_is_made() {
    let mut ring = Ring::new(0, LIMITS);
    ring.push(change(1, 10));
    let first = Arc::clone(&ring.after(0).unwrap().next().unwrap().after.stored);
    let is_typed = || !first.cool();
    for version in 2..=3 {
        ring.push(change(version, 10));
    }
    assert!(is_typed(), "nobody has encoded it");
    let json = first.encode();
    ring.push(change(4, 10));
    assert!(!is_typed());
    assert_eq!(first.object().unwrap().to_json(), json);
}
