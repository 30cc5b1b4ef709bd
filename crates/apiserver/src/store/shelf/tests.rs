use resources::{
    Object, ObjectKey,
    builtin::ConfigMap,
    meta::{ObjectMeta, OwnerReference},
};

use super::*;
use crate::{selector::LabelSelector, store::pairs::Interner};

const LIMITS: RingLimits = RingLimits {
    changes_max: 4,
    bytes_max: 1000,
    seen_changes_max: 4,
    seen_bytes_max: 1000,
    typed_max: 4,
    seen_typed_max: 2,
};

fn key(namespace: &str, name: &str) -> Key {
    Key::of(<ConfigMap as Object>::kind(), &ObjectKey::new(namespace, name))
}

fn put(shelf: &mut Shelf, namespace: &str, name: &str, label: &str, owner: &str) {
    let owner = OwnerReference { uid: owner.into(), controller: Some(true), ..OwnerReference::default() };
    let metadata = ObjectMeta {
        labels: Some([("l".to_owned(), label.to_owned())].into()),
        owner_references: Some(vec![owner]),
        ..ObjectMeta::default()
    };
    let object = ConfigMap { metadata, ..ConfigMap::default() };
    let facts = Facts::with(&object, &[], &mut Interner::new());
    shelf.insert(Entry { key: key(namespace, name), version: 1, facts });
}

fn names(shelf: &mut Shelf, selection: &Selection, from: Bound<Key>) -> String {
    shelf.prepare(selection);
    let text = |key: &Key| format!("{}/{}", key.namespace(), key.name());
    shelf.select(selection, from).map(|entry| text(&entry.key)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_selection_finds_the_same_with_and_without_an_index() {
    let mut shelf = Shelf::new(0, LIMITS);
    for (namespace, name, label, owner) in [
        ("a", "x", "1", "o"),
        ("a", "y", "2", "o"),
        ("b", "x", "1", "p"),
        ("b", "z", "1", "o"),
        ("c", "x", "2", "p"),
    ] {
        put(&mut shelf, namespace, name, label, owner);
    }
    let label =
        |text: &str| Selection { labels: LabelSelector::parse(text).unwrap(), ..Selection::default() };
    let owned = |uid: &str| Selection { owner: Some(Uid::of(uid)), ..Selection::default() };
    let all = Bound::Unbounded;
    // The index is there from the second time on.
    for round in 0..3 {
        assert_eq!(names(&mut shelf, &label("l=1"), all.clone()), "a/x b/x b/z", "{round}");
        assert_eq!(names(&mut shelf, &label("l in (1,3)"), all.clone()), "a/x b/x b/z");
        assert_eq!(names(&mut shelf, &owned("o"), all.clone()), "a/x a/y b/z");
        let after = Bound::Excluded(key("a", "x"));
        assert_eq!(names(&mut shelf, &label("l=1"), after.clone()), "b/x b/z");
        assert_eq!(names(&mut shelf, &owned("o"), after), "a/y b/z");
        // Within a namespace the caller begins at the namespace.
        let within = Selection { namespace: Some("b".into()), ..label("l=1") };
        assert_eq!(names(&mut shelf, &within, Bound::Included(key("b", ""))), "b/x b/z");
    }
    put(&mut shelf, "b", "x", "2", "o");
    shelf.remove(&key("a", "x"));
    assert_eq!(names(&mut shelf, &label("l=1"), all.clone()), "b/z");
    assert_eq!(names(&mut shelf, &label("l=2"), all.clone()), "a/y b/x c/x");
    assert_eq!(names(&mut shelf, &owned("o"), all.clone()), "a/y b/x b/z");
    assert_eq!(names(&mut shelf, &owned("p"), all), "c/x");
}

#[test]
fn what_is_selected_by_now_is_indexed_whoever_came_first() {
    let mut shelf = Shelf::new(0, LIMITS);
    put(&mut shelf, "a", "x", "1", "o");
    let select = |shelf: &mut Shelf, label: &str| {
        let selection = Selection { labels: LabelSelector::parse(label).unwrap(), ..Selection::default() };
        names(shelf, &selection, Bound::Unbounded)
    };
    // Once is not worth an index.
    for number in 0..1000 {
        assert_eq!(select(&mut shelf, &format!("once-{number}=1")), "");
    }
    assert!(shelf.labels.get("once-999").is_none());
    // As many as there can be, of which one stays in use.
    let many: Vec<String> = (0..40).map(|number| format!("many-{number}")).collect();
    for label in &many {
        for _ in 0..2 {
            select(&mut shelf, &format!("{label}=1"));
            select(&mut shelf, "many-0=1");
        }
    }
    for (label, there) in [("many-0", true), ("many-39", true), ("many-25", true), ("many-24", false)] {
        assert_eq!(shelf.labels.get(label).is_some(), there, "{label}");
    }
    assert!(shelf.labels.get("l").is_none());
    for _ in 0..2 {
        assert_eq!(select(&mut shelf, "l=1"), "a/x");
    }
    assert!(shelf.labels.get("l").is_some());
    put(&mut shelf, "a", "y", "1", "o");
    assert_eq!(select(&mut shelf, "l=1"), "a/x a/y");
}

#[test]
fn an_index_is_made_in_pieces_while_others_write() {
    let mut shelf = Shelf::new(0, LIMITS);
    let many = labels::MADE_AT_ONCE + 10;
    for number in 0..many {
        put(&mut shelf, "a", &format!("x{number:05}"), "1", "o");
    }
    let select = |shelf: &mut Shelf, value: &str| {
        let labels = LabelSelector::parse(&format!("l={value}")).unwrap();
        names(shelf, &Selection { labels, ..Selection::default() }, Bound::Unbounded)
    };
    assert_eq!(select(&mut shelf, "2"), "");
    assert_eq!(select(&mut shelf, "2"), "");
    assert!(shelf.labels.get("l").is_none(), "a part is no index");
    // Of what has been looked at and of what has not: changed, new and gone.
    let last = format!("x{:05}", many - 1);
    for (name, label) in [("x00001", "2"), (last.as_str(), "2"), ("x00002+", "2"), ("y", "2")] {
        put(&mut shelf, "a", name, label, "o");
    }
    for gone in ["x00003".to_owned(), format!("x{:05}", many - 2)] {
        shelf.remove(&key("a", &gone));
    }
    for whole in [false, true] {
        assert_eq!(shelf.labels.get("l").is_some(), whole);
        assert_eq!(select(&mut shelf, "2"), format!("a/x00001 a/x00002+ a/{last} a/y"), "{whole}");
    }
    assert_eq!(select(&mut shelf, "1").split(' ').count(), many - 4);
}
