//! The instances that an EndpointSlice names. Pure.

use resources::{
    Object, ObjectKey,
    builtin::EndpointSlice,
    labels::{REVISION, SERVICE_TYPE, SERVICE_TYPE_PRIVATE},
};

use crate::{Instance, RevisionKey};

/// The Revision whose instances the slice names; `None` for any other slice.
pub(super) fn revision(slice: &EndpointSlice) -> Option<RevisionKey> {
    // Its private Service, and so its slices, carry the Revision's name.
    let private = slice.label(SERVICE_TYPE) == Some(SERVICE_TYPE_PRIVATE);
    let name = slice.label(REVISION).filter(|_| private)?;
    Some(ObjectKey::new(slice.namespace(), name))
}

/// The endpoints that take requests, at the port of the user's container.
pub(super) fn ready(slice: &EndpointSlice, port: u16) -> Vec<Instance> {
    let takes_requests = |endpoint: &&resources::builtin::Endpoint| {
        let conditions = endpoint.conditions.as_ref();
        conditions.and_then(|conditions| conditions.ready).unwrap_or(true)
    };
    let instance = |endpoint: &resources::builtin::Endpoint| {
        let pod = endpoint.target_ref.as_ref()?;
        Some(Instance {
            pod: ObjectKey::new(slice.namespace(), pod.name.as_deref()?),
            uid: pod.uid.clone()?,
            address: endpoint.addresses.first()?.parse().ok()?,
            port,
        })
    };
    slice.endpoints.iter().filter(takes_requests).filter_map(instance).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice(labels: serde_json::Value) -> EndpointSlice {
        let endpoint = |name: &str, ready: serde_json::Value| json!({ "addresses": ["10.1.0.9"], "conditions": ready, "targetRef": { "name": name, "uid": name } });
        serde_json::from_value(json!({
            "metadata": { "name": "s", "namespace": "team", "labels": labels },
            "addressType": "IPv4",
            "endpoints": [
                endpoint("ready", json!({ "ready": true })),
                endpoint("unsaid", json!({})),
                endpoint("leaving", json!({ "ready": false, "serving": true, "terminating": true })),
                { "addresses": ["10.1.0.9"] },
            ]
        }))
        .unwrap()
    }

    #[test]
    fn only_private_slices_of_revisions_count() {
        for (labels, expect) in [
            (
                json!({ REVISION: "hello-00001", SERVICE_TYPE: "Private" }),
                Some(ObjectKey::new("team", "hello-00001")),
            ),
            (json!({ REVISION: "hello-00001", SERVICE_TYPE: "Public" }), None),
            (json!({ SERVICE_TYPE: "Private" }), None),
            (json!({}), None),
        ] {
            assert_eq!(revision(&slice(labels.clone())), expect, "{labels}");
        }
    }

    #[test]
    fn only_ready_pods_take_requests() {
        let uids: Vec<_> = ready(&slice(json!({})), 8080).into_iter().map(|instance| instance.uid).collect();
        assert_eq!(uids, ["ready", "unsaid"]);
    }
}
