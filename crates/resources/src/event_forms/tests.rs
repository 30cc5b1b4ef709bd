use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::RENAMED;
use crate::kinds;

/// An event with all fields, as each of the groups has it.
fn both() -> [Value; 2] {
    let about = json!({"apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": "n"});
    let other = json!({"kind": "Node", "name": "m"});
    let (first, last) = ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z");
    let series = json!({"count": 3, "lastObservedTime": "2026-01-01T00:02:00.000001Z"});
    let alike = json!({
        "metadata": {"name": "e", "namespace": "n", "labels": {"a": "b"}}, "action": "Pulling", "reason": "Pulled",
        "type": "Normal", "related": other, "reportingInstance": "i", "series": series,
        "eventTime": "2026-01-01T00:00:00.000001Z",
    });
    let with = |fields: Value| {
        let mut all = alike.as_object().unwrap().clone();
        all.extend(fields.as_object().unwrap().clone());
        Value::Object(all)
    };
    let core = with(json!({
        "apiVersion": "v1", "kind": "Event", "involvedObject": about, "message": "m", "count": 2,
        "source": {"component": "c", "host": "h"}, "firstTimestamp": first, "lastTimestamp": last,
        "reportingComponent": "r",
    }));
    let events = with(json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": about, "note": "m", "deprecatedCount": 2,
        "deprecatedSource": {"component": "c", "host": "h"}, "deprecatedFirstTimestamp": first,
        "deprecatedLastTimestamp": last, "reportingController": "r",
    }));
    [core, events]
}

#[test]
fn each_form_has_all_that_the_other_has() {
    let [core, events] = both();
    let form = kinds::by_kind("events.k8s.io/v1", "Event").unwrap();
    let original = form.original();
    assert_eq!((original.api_version(), original.original()), ("v1".to_owned(), original));
    assert_eq!((form.hub(), form.resource()), (original, "events.events.k8s.io".to_owned()));
    let [of_core, of_events] = [(original, &core), (form, &events)].map(|(kind, value)| {
        let (object, unknown) = kind.decode_strict(value.clone()).unwrap();
        assert_eq!(unknown, Vec::<String>::new());
        object
    });
    assert_eq!(form.of_original(&*of_core).unwrap().to_value(), events);
    assert_eq!(form.to_original(&*of_events).unwrap().to_value(), core);
    assert!(original.to_original(&*of_core).is_none() && form.of_original(&*of_events).is_none());
}

#[test]
fn what_one_form_does_not_say_the_other_does_not_either() {
    let form = kinds::by_kind("events.k8s.io/v1", "Event").unwrap();
    let core = json!({"metadata": {"name": "e"}, "involvedObject": {}, "series": {"count": 1}});
    let stored = form.original().decode_value(core).unwrap();
    let viewed = form.of_original(&*stored).unwrap();
    assert!(form.original().same(&*form.to_original(&*viewed).unwrap(), &*stored));
}

#[test]
fn all_names_that_differ_are_known() {
    let [core, events] = both();
    let only = |one: &Value, other: &Value| {
        let names = one.as_object().unwrap().keys().filter(|name| other.get(name.as_str()).is_none());
        names.cloned().collect::<BTreeSet<String>>()
    };
    let of_core: BTreeSet<String> = RENAMED.iter().map(|pair| pair.0.to_owned()).collect();
    let of_events: BTreeSet<String> = RENAMED.iter().map(|pair| pair.1.to_owned()).collect();
    assert_eq!((only(&core, &events), only(&events, &core)), (of_core, of_events));
    for (name, other) in RENAMED {
        assert_eq!(core[*name], events[*other], "{name}");
    }
}
