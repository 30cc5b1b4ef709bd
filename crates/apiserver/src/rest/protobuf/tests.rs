use serde_json::json;

use super::*;

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn text(field: u64, text: &str) -> Vec<u8> {
    bytes(field, text.as_bytes())
}

fn body(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let about = [text(1, api_version), text(2, kind)].concat();
    [MAGIC.to_vec(), bytes(1, &about), bytes(2, object)].concat()
}

/// One of everything that a message can have.
fn sample() -> Vec<u8> {
    let entry = |value: Vec<u8>| [text(1, "k"), value].concat();
    let metadata = [
        text(1, "a"),
        text(2, ""),
        number(7, 3),
        bytes(8, &[]),
        bytes(9, &[number(1, 1_000_000_000), number(2, 5)].concat()),
        number(10, (-1_i64).cast_unsigned()),
        bytes(11, &entry(text(2, "v"))),
        bytes(11, &[text(1, "l"), text(2, "w")].concat()),
        bytes(12, &text(1, "empty")),
        text(14, "f"),
        text(14, ""),
        text(99, "unknown"),
    ];
    let extra = bytes(2, &[text(1, "x"), text(1, "y")].concat());
    let spec = [bytes(1, &[text(2, "get"), text(5, "pods")].concat()), text(3, "u"), bytes(5, &entry(extra))];
    let object = [bytes(1, &metadata.concat()), bytes(2, &spec.concat()), bytes(3, &number(1, 1))].concat();
    body("authorization.k8s.io/v1", "SubjectAccessReview", &object)
}

#[test]
fn a_message_reads_as_its_json() {
    let expect = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {
            "name": "a",
            "deletionTimestamp": "2001-09-09T01:46:40Z",
            "deletionGracePeriodSeconds": -1,
            "labels": {"k": "v", "l": "w"},
            "annotations": {"empty": ""},
            "finalizers": ["f", ""],
        },
        "spec": {
            "resourceAttributes": {"verb": "get", "resource": "pods"},
            "user": "u",
            "extra": {"k": ["x", "y"]},
        },
    });
    assert_eq!(read(&sample()), Ok(expect));
    let secret = [bytes(2, &[text(1, "k"), bytes(2, &[0, 255])].concat()), number(5, 1)].concat();
    let expect = json!({"apiVersion": "v1", "kind": "Secret", "data": {"k": "AP8="}, "immutable": true});
    assert_eq!(read(&body("v1", "Secret", &secret)), Ok(expect));
    assert_eq!(read(&body("v1", "Pod", &[])), Err(Unreadable::Kind));
}

#[test]
fn whatever_comes_is_read_or_refused() {
    let sample = sample();
    for end in 0..sample.len() {
        assert_ne!(read(&sample[..end]), read(&sample), "{end} bytes of it");
    }
    for at in 0..sample.len() {
        for flip in [1, 0x80, 0xff] {
            let mut other = sample.clone();
            other[at] ^= flip;
            // Whether it means something is not known, but it is over soon.
            _ = read(&other);
        }
    }
    let of = |object: &[u8]| read(&body("v1", "ConfigMap", object));
    let cases: [&[u8]; 6] = [
        &number(1, 5),
        &text(4, "true"),
        &[0xff; 20],
        &bytes(2, &[text(1, "k"), number(2, 1)].concat()),
        &bytes(1, &bytes(1, &[0xff, 0xfe])),
        &[varint(1 << 3 | 2), varint(u64::MAX)].concat(),
    ];
    for object in cases {
        assert!(matches!(of(object), Err(Malformed(_))), "{object:?}");
    }
}
