use std::collections::BTreeSet;

use resources::{Object, builtin::ConfigMap};
use storage::objects::{Durability, Op};

use super::*;

/// More than one thread reads.
const MANY: usize = 10 * BATCH + 1;

fn journal(json: impl Fn(usize) -> String) -> Journal {
    let (journal, _) = Journal::memory();
    for number in 0..MANY {
        let disk_key = format!("{}default/map-{number}", key::prefix(ConfigMap::kind())).into();
        journal.append(&disk_key, Durability::Soon, |_| Op::bytes(json(number))).unwrap();
    }
    journal
}

#[test]
fn every_object_is_read_once() {
    let journal = journal(|number| format!(r#"{{"metadata":{{"name":"map-{number}"}},"data":{{}}}}"#));
    let mut names = BTreeSet::new();
    load(ConfigMap::kind(), &journal, |loaded, most| {
        assert_eq!(most, MANY);
        for loaded in loaded {
            assert!(names.insert(loaded.key.name().to_owned()), "{:?} came twice", loaded.key);
        }
    })
    .unwrap();
    assert_eq!(names.len(), MANY);
}

#[test]
fn what_cannot_be_read_is_named() {
    let journal = journal(|number| (if number == MANY / 2 { "{" } else { r#"{"metadata":{}}"# }).into());
    let error = load(ConfigMap::kind(), &journal, |_, _| {}).unwrap_err().to_string();
    assert!(error.contains(&format!("default/map-{}", MANY / 2)), "{error}");
}
