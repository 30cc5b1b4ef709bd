use resources::{COMPLAINTS_MAX, PATH_BYTES_MAX};

use super::*;

const BOUNDS: Bounds = Bounds { depth_max: 8, nodes_max: 100, bytes_max: 1000 };

#[test]
fn fields_are_found_where_they_come() {
    let text = br#"{"b": {"c": 1}, "a": [{"d": 1, "d": 2}], "b": 3}"#;
    let places = places(text, ["b", "b.c", "a", "a[0].d", "a[1].d"].into_iter());
    let of = |path: &str| places[path].clone();
    assert_eq!((of("b"), of("b.c"), of("a"), of("a[0].d")), (vec![1, 6], vec![2], vec![3], vec![4, 5]));
}

#[test]
fn duplicates_are_named_and_depth_is_bounded() {
    let text = br#"{"a": {"b": 1, "b": 2}, "c": [{"d": 1, "d": null}], "a": 3}"#;
    let Read { value, duplicates, .. } = read(text, BOUNDS).unwrap();
    assert_eq!(value, serde_json::json!({"a": 3, "c": [{"d": null}]}));
    assert_eq!(duplicates, ["a.b", "c[0].d", "a"]);
    let shallow = Bounds { depth_max: 3, ..BOUNDS };
    assert!(read(b"[[[1]]]", shallow).is_ok());
    assert!(read(b"[[[[1]]]]", shallow).unwrap_err().contains("exceeded max depth"));
    for text in ["", "{", "{}x", "nul"] {
        assert!(read(text.as_bytes(), BOUNDS).is_err(), "{text}");
    }
}

#[test]
fn values_are_counted() {
    let list = |items: usize| format!("[{}]", vec!["{}"; items].join(","));
    assert_eq!(nodes(&read(list(99).as_bytes(), BOUNDS).unwrap().value), 100);
    assert!(read(list(100).as_bytes(), BOUNDS).unwrap_err().contains("too many values"));
    let object = |fields: usize| format!("{{{}}}", vec!["\"a\":1"; fields].join(","));
    assert!(read(object(99).as_bytes(), BOUNDS).is_ok());
    assert!(read(object(100).as_bytes(), BOUNDS).unwrap_err().contains("too many values"), "the same field");
    let text = |len: usize| format!("{{\"ab\":\"{}\"}}", "x".repeat(len));
    assert!(read(text(998).as_bytes(), BOUNDS).is_ok());
    assert!(read(text(999).as_bytes(), BOUNDS).unwrap_err().contains("too long"));
}

/// A megabyte of a name above a hundred thousand fields that come twice would be a hundred gigabytes of paths.
#[test]
fn the_paths_of_many_duplicates_take_little() {
    let bounds = Bounds::of(&Limits::default());
    let fields = vec!["\"\":0"; 100_000].join(",");
    let text = format!("{{\"{}\":{{{fields}}}}}", "x".repeat(1 << 20));
    let duplicates = read(text.as_bytes(), bounds).unwrap().duplicates;
    assert_eq!(duplicates.len(), COMPLAINTS_MAX);
    assert!(duplicates.iter().all(|path| path.len() < PATH_BYTES_MAX + 10));
}
