//! Objects as JSON text, with the fields that upstream writes also when they are empty.
//!
//! Go writes the empty value of a field that is no pointer unless it is told not to; the types here have nothing there.
//! Clients see the difference: a condition whose `lastProbeTime` is null is managed as one that has it. What is written
//! so is looked up by the name of the struct, so that it is right at any depth.

use std::fmt::Display;

use k8s_openapi::Resource;
use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::value::RawValue;

/// A struct, and its fields that are always written, each with its empty value as JSON.
const ALWAYS: &[(&str, &[(&str, &str)])] = &[
    ("ClusterRole", &[("rules", "null")]),
    ("CustomResourceDefinitionStatus", &[("conditions", "null"), ("storedVersions", "null")]),
    ("DeploymentCondition", &[("lastTransitionTime", "null"), ("lastUpdateTime", "null")]),
    (
        "Event",
        &[
            ("eventTime", "null"),
            ("firstTimestamp", "null"),
            ("lastTimestamp", "null"),
            ("reportingComponent", "\"\""),
            ("reportingInstance", "\"\""),
            ("source", "{}"),
        ],
    ),
    ("Lease", &[("spec", "{}")]),
    ("Node", &[("spec", "{}"), ("status", NODE_STATUS)]),
    ("NodeCondition", &[("lastHeartbeatTime", "null"), ("lastTransitionTime", "null")]),
    ("NodeStatus", &[("daemonEndpoints", DAEMON_ENDPOINTS), ("nodeInfo", NODE_INFO)]),
    ("PodCondition", &[("lastProbeTime", "null"), ("lastTransitionTime", "null")]),
    ("ReplicaSetCondition", &[("lastTransitionTime", "null")]),
    ("Role", &[("rules", "null")]),
    ("TokenRequestSpec", &[("boundObjectRef", "null")]),
];

/// The same of the form that `events.k8s.io` has of an Event, whose struct is called as the core group's.
const ALWAYS_OF_EVENTS: &[(&str, &str)] = &[
    ("deprecatedFirstTimestamp", "null"),
    ("deprecatedLastTimestamp", "null"),
    ("deprecatedSource", "{}"),
    ("eventTime", "null"),
    ("regarding", "{}"),
];

const DAEMON_ENDPOINTS: &str = r#"{"kubeletEndpoint":{"Port":0}}"#;
const NODE_INFO: &str = r#"{"architecture":"","bootID":"","containerRuntimeVersion":"","kernelVersion":"","kubeProxyVersion":"","kubeletVersion":"","machineID":"","operatingSystem":"","osImage":"","systemUUID":""}"#;
const NODE_STATUS: &str = r#"{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"architecture":"","bootID":"","containerRuntimeVersion":"","kernelVersion":"","kubeProxyVersion":"","kubeletVersion":"","machineID":"","operatingSystem":"","osImage":"","systemUUID":""}}"#;

/// What an object's text is given room for before it is known how long it is.
const BYTES_MIN: usize = 128;

/// An object as JSON text.
pub(super) fn to_json<T: Serialize + Resource>(object: &T) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(BYTES_MIN);
    object.serialize(Writer(&mut serde_json::Serializer::new(&mut json), T::GROUP))?;
    Ok(json)
}

/// The fields of a struct that are always written. `group`: that of a whole object.
fn always(group: &str, name: &str) -> &'static [(&'static str, &'static str)] {
    if (group, name) == ("events.k8s.io", "Event") {
        return ALWAYS_OF_EVENTS;
    }
    ALWAYS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, fields)| *fields)
}

/// A value that is written in this way.
struct Written<'a, T: ?Sized>(&'a T);

/// A serializer that passes everything on, but for structs that have something to add. Of a whole object it knows the
/// group; within one, none.
struct Writer<S>(S, &'static str);

/// The parts of a list, a map and the like.
struct Parts<P>(P);

/// The fields of a struct.
struct Fields<P> {
    fields: P,
    always: &'static [(&'static str, &'static str)],
    /// Which of these were there, as bits.
    seen: u32,
}

impl<T: Serialize + ?Sized> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Writer(serializer, ""))
    }
}

macro_rules! pass_on {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(fn $method(self, value: $value) -> Result<S::Ok, S::Error> {
            self.0.$method(value)
        })*
    };
}

impl<S: Serializer> Serializer for Writer<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<S::SerializeSeq>;
    type SerializeTuple = Parts<S::SerializeTuple>;
    type SerializeTupleStruct = Parts<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<S::SerializeTupleVariant>;
    type SerializeMap = Parts<S::SerializeMap>;
    type SerializeStruct = Fields<S::SerializeStruct>;
    type SerializeStructVariant = Parts<S::SerializeStructVariant>;

    pass_on! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64, serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Written(value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Written(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Written(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(len).map(Parts)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(len).map(Parts)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, len).map(Parts)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0.serialize_tuple_variant(name, index, variant, len).map(Parts)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(len).map(Parts)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let always = always(self.1, name);
        let fields = self.0.serialize_struct(name, len + always.len())?;
        Ok(Fields { fields, always, seen: 0 })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0.serialize_struct_variant(name, index, variant, len).map(Parts)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! parts {
    ($($of:ident: $method:ident),* $(,)?) => {
        $(impl<P: $of> $of for Parts<P> {
            type Ok = P::Ok;
            type Error = P::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), P::Error> {
                self.0.$method(&Written(value))
            }

            fn end(self) -> Result<P::Ok, P::Error> {
                self.0.end()
            }
        })*
    };
}

parts! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

impl<P: SerializeMap> SerializeMap for Parts<P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), P::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), P::Error> {
        self.0.serialize_value(&Written(value))
    }

    fn end(self) -> Result<P::Ok, P::Error> {
        self.0.end()
    }
}

impl<P: SerializeStructVariant> SerializeStructVariant for Parts<P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), P::Error> {
        self.0.serialize_field(name, &Written(value))
    }

    fn end(self) -> Result<P::Ok, P::Error> {
        self.0.end()
    }
}

impl<P: SerializeStruct> SerializeStruct for Fields<P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), P::Error> {
        if let Some(at) = self.always.iter().position(|(known, _)| *known == name) {
            self.seen |= 1 << at;
        }
        self.fields.serialize_field(name, &Written(value))
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), P::Error> {
        self.fields.skip_field(name)
    }

    fn end(mut self) -> Result<P::Ok, P::Error> {
        for (at, (name, json)) in self.always.iter().enumerate() {
            if self.seen & (1 << at) == 0 {
                let value: &RawValue = serde_json::from_str(json).expect("the table has JSON");
                self.fields.serialize_field(name, value)?;
            }
        }
        self.fields.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Kind, kinds};

    fn written(kind: &'static Kind, object: Value) -> Value {
        kind.decode_value(object).unwrap().to_value()
    }

    #[test]
    fn what_upstream_writes_empty_is_there_at_any_depth() {
        let kind = |version, kind| kinds::by_kind(version, kind).unwrap();
        let event =
            written(kind("v1", "Event"), json!({"metadata": {"name": "e"}, "source": {"component": "c"}}));
        assert_eq!((&event["eventTime"], &event["reportingComponent"]), (&json!(null), &json!("")));
        assert!(event.get("eventTime").is_some());
        assert_eq!(event["source"], json!({"component": "c"}));
        let event = written(kind("events.k8s.io/v1", "Event"), json!({"metadata": {"name": "e"}}));
        let empty = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"}, "eventTime": null,
            "regarding": {}, "deprecatedSource": {}, "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null,
        });
        assert_eq!(event, empty);
        let conditions =
            json!([{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-02T03:04:05Z"}]);
        let pod = json!({"metadata": {}, "status": {"conditions": conditions}});
        let condition = &written(kind("v1", "Pod"), pod)["status"]["conditions"][0];
        assert_eq!(condition.get("lastProbeTime"), Some(&Value::Null));
        assert_eq!(condition["lastTransitionTime"], "2020-01-02T03:04:05Z");
        let node = written(kind("v1", "Node"), json!({"metadata": {}, "status": {"capacity": {"cpu": "1"}}}));
        assert_eq!((&node["spec"], &node["status"]["nodeInfo"]["osImage"]), (&json!({}), &json!("")));
        assert_eq!(
            written(kind("rbac.authorization.k8s.io/v1", "Role"), json!({"metadata": {}}))["rules"],
            json!(null)
        );
    }
}
