use std::collections::BTreeSet;

use resources::schema;
use serde_json::json;

use super::*;

const DEPTH: usize = 16;
const BOUNDS: Bounds = Bounds { depth_max: DEPTH, nodes_max: 10_000, bytes_max: 1 << 20 };

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

fn double(field: u64, number: f64) -> Vec<u8> {
    [varint(field << 3 | 1), number.to_le_bytes().to_vec()].concat()
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

fn check(api_version: &str, kind: &str, object: &[Vec<u8>], expect: Value) {
    let mut expect = expect;
    expect["apiVersion"] = api_version.into();
    expect["kind"] = kind.into();
    assert_eq!(read(&body(api_version, kind, &object.concat()), BOUNDS), Ok(expect));
}

/// One of everything that a message can have.
fn sample() -> Vec<u8> {
    let entry = |value: Vec<u8>| [text(1, "k"), value].concat();
    let metadata = [
        text(1, "a"),
        text(2, ""),
        number(7, 0),
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
    assert_eq!(read(&sample(), BOUNDS), Ok(expect));
    let secret = [bytes(2, &[text(1, "k"), bytes(2, &[0, 255])].concat()), number(5, 1)];
    check("v1", "Secret", &secret, json!({"data": {"k": "AP8="}, "immutable": true}));
    // A question as client-go asks it: with an empty answer.
    let empty = bytes(3, &[text(1, ""), bytes(2, &[])].concat());
    let expect = json!({"spec": {"audiences": ["a"]}});
    check("authentication.k8s.io/v1", "TokenRequest", &[bytes(2, &text(1, "a")), empty], expect);
    assert_eq!(read(&body("v1", "Job", &[]), BOUNDS), Err(Unreadable::Kind));
}

#[test]
fn what_json_writes_otherwise_is_written_so() {
    // Its selector's fields are the reference's own; what Go always writes is there when JSON has it so.
    let reference = [bytes(1, &text(1, "map")), text(2, "key")].concat();
    let env = [text(1, "A"), text(2, ""), bytes(3, &bytes(3, &reference))].concat();
    let port = [text(1, ""), number(2, 0), number(3, 0), text(4, "")].concat();
    let amount = |name: &str, amount: &str| [text(1, name), bytes(2, &text(1, amount))].concat();
    let container = [
        text(1, "c"),
        bytes(6, &port),
        bytes(7, &env),
        bytes(8, &bytes(1, &amount("cpu", "100m"))),
        // A probe by port name.
        bytes(
            10,
            &bytes(
                1,
                &bytes(2, &[text(1, ""), bytes(2, &[number(1, 1), text(3, "http")].concat())].concat()),
            ),
        ),
        number(18, 0),
    ];
    let spec = [bytes(2, &container.concat()), number(4, 0), number(11, 0)].concat();
    let expect = json!({"spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [{
            "name": "c",
            "ports": [{"containerPort": 0}],
            "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "key"}}}],
            "resources": {"limits": {"cpu": "100m"}},
            "livenessProbe": {"httpGet": {"port": "http"}},
        }],
    }});
    check("v1", "Pod", &[bytes(2, &spec)], expect);

    let time = bytes(4, &[number(1, 1_000_000_000), number(2, 1_500_000)].concat());
    let renewed = json!({"spec": {"renewTime": "2001-09-09T01:46:40.001500Z"}});
    check("coordination.k8s.io/v1", "Lease", &[bytes(2, &time)], renewed);

    let string = text(5, "string");
    let of = |field: u64, schema: &[u8]| bytes(field, schema);
    let schema = [
        double(9, 2.0),
        double(11, 0.5),
        bytes(8, &text(1, "{\"a\":[1]}")),
        of(24, &bytes(1, &string)),
        of(30, &[number(1, 0), bytes(2, &string)].concat()),
        of(33, &number(1, 1)),
        bytes(20, &text(1, "\"x\"")),
    ];
    let version = [text(1, "v1"), number(2, 1), number(3, 0), bytes(4, &bytes(1, &schema.concat()))].concat();
    let expect = json!({"spec": {"versions": [{
        "name": "v1", "served": true, "storage": false,
        "schema": {"openAPIV3Schema": {
            "maximum": 2, "minimum": 0.5, "default": {"a": [1]}, "items": {"type": "string"},
            "additionalProperties": {"type": "string"}, "additionalItems": true, "enum": ["x"],
        }},
    }]}});
    check("apiextensions.k8s.io/v1", "CustomResourceDefinition", &[bytes(2, &bytes(7, &version))], expect);
    check(
        "apps/v1",
        "DeleteOptions",
        &[number(1, 0), text(4, "Orphan")],
        json!({"gracePeriodSeconds": 0, "propagationPolicy": "Orphan"}),
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let schema = (0..depth).fold(text(5, "object"), |inner, _| bytes(28, &inner));
        let version = bytes(4, &bytes(1, &schema));
        body("apiextensions.k8s.io/v1", "CustomResourceDefinition", &bytes(2, &bytes(7, &version)))
    };
    assert!(read(&nested(3), BOUNDS).is_ok());
    for depth in [DEPTH, 2_000] {
        let error = read(&nested(depth), BOUNDS).unwrap_err();
        assert_eq!(error, malformed(too_deep(DEPTH)));
    }
    let text = format!("{}{}", "[".repeat(30), "]".repeat(30));
    let schema = bytes(8, &bytes(1, text.as_bytes()));
    let version = bytes(4, &bytes(1, &schema));
    let object = bytes(2, &bytes(7, &version));
    assert!(matches!(
        read(&body("apiextensions.k8s.io/v1", "CustomResourceDefinition", &object), BOUNDS),
        Err(Unreadable::Malformed(why)) if why.contains("exceeded max depth")
    ));
}

#[test]
fn every_built_in_kind_is_read_with_all_its_fields() {
    let kinds: Vec<_> = resources::kinds::served().filter(|kind| !kind.group.contains("knative")).collect();
    let definitions = schema::definitions(kinds.iter().copied());
    let (mut to_see, mut seen) = (Vec::new(), BTreeSet::new());
    for kind in kinds {
        let known =
            TABLE.kind(&kind.api_version(), kind.kind).unwrap_or_else(|| panic!("{kind:?} is not read"));
        to_see.push((known, kind.definition_name()));
    }
    while let Some((message, name)) = to_see.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let Some(properties) = definitions[&name]["properties"].as_object() else { continue };
        for (field, schema) in properties {
            if ["apiVersion", "kind"].contains(&field.as_str()) {
                continue;
            }
            let member = find(message, field).unwrap_or_else(|| panic!("{name}.{field} is not read"));
            if let (Some(within), Some(reference)) = (member.kind.message(), reference(schema)) {
                to_see.push((within, reference));
            }
        }
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

/// A field by its name in JSON, also of a message within that has no name.
fn find<'a>(message: &'a Message, name: &str) -> Option<&'a Member> {
    message.members().iter().find_map(|member| match (&member.kind, member.name.as_str()) {
        (Type::Message(place), "") => find(TABLE.message(*place), name),
        (_, found) => (found == name).then_some(member),
    })
}

/// What a schema, or its items or values, refer to.
fn reference(schema: &Value) -> Option<String> {
    let places = [schema, &schema["allOf"][0], &schema["items"], &schema["additionalProperties"]];
    places
        .into_iter()
        .find_map(|place| Some(place["$ref"].as_str()?.strip_prefix(schema::REFERENCE)?.to_owned()))
}

impl Type {
    /// The message that it holds, alone or many times.
    fn message(&self) -> Option<&'static Message> {
        match self {
            Self::Message(place) => Some(TABLE.message(*place)),
            Self::List(item) | Self::Map(item) => item.message(),
            _ => None,
        }
    }
}

#[test]
fn whatever_comes_is_read_or_refused() {
    let sample = sample();
    for end in 0..sample.len() {
        assert_ne!(read(&sample[..end], BOUNDS), read(&sample, BOUNDS), "{end} bytes of it");
    }
    for at in 0..sample.len() {
        for flip in [1, 0x80, 0xff] {
            let mut other = sample.clone();
            other[at] ^= flip;
            // Whether it means something is not known, but it is over soon.
            _ = read(&other, BOUNDS);
        }
    }
    let of = |object: &[u8]| read(&body("v1", "ConfigMap", object), BOUNDS);
    let cases: [&[u8]; 6] = [
        &number(1, 5),
        &text(4, "true"),
        &[0xff; 20],
        &bytes(2, &[text(1, "k"), number(2, 1)].concat()),
        &bytes(1, &bytes(1, &[0xff, 0xfe])),
        &[varint(1 << 3 | 2), varint(u64::MAX)].concat(),
    ];
    for object in cases {
        assert!(matches!(of(object), Err(Unreadable::Malformed(_))), "{object:?}");
    }
}
