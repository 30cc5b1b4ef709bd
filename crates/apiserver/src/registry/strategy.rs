//! What is peculiar to a kind when it is written (upstream: each kind's strategy in `pkg/registry`).

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use resources::{
    DynObject, Kind, Object,
    builtin::{
        Deployment, EndpointSlice, HorizontalPodAutoscaler, LoadBalancerStatus, Namespace, NamespaceStatus,
        Node, Pod, PodStatus, ReplicaSet, Service, ServiceStatus, StatefulSet, StatefulSetStatus,
    },
    custom::{self, CustomObject, CustomResourceDefinition, TERMINATING},
    downcast, kinds,
    meta::{ObjectMeta, Time},
};
use serde_json::{Value, json};

/// The finalizer by which a namespace stays until it is empty.
pub(super) const KUBERNETES_FINALIZER: &str = "kubernetes";
/// The label that every namespace carries, so that selectors can name it.
const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Whether the kind counts the changes of its spec.
pub(super) fn has_generation(kind: &Kind) -> bool {
    let kind = kind.original();
    kind.is_defined()
        || kind == <EndpointSlice as Object>::kind()
        || kind.subresources.status
            && ![
                <HorizontalPodAutoscaler as Object>::kind(),
                <Namespace as Object>::kind(),
                <Node as Object>::kind(),
                <Service as Object>::kind(),
            ]
            .contains(&kind)
}

fn slice(object: &dyn DynObject) -> Option<&EndpointSlice> {
    (object as &dyn Any).downcast_ref()
}

/// Whether an update is one that the kind does not count.
pub(super) fn is_same_generation(old: &dyn DynObject, new: &dyn DynObject) -> bool {
    let (kind, before, after) = (new.kind(), old.metadata(), new.metadata());
    if let (Some(old), Some(new)) = (slice(old), slice(new)) {
        // It has no spec: all of it counts, and what it is found by.
        return before.labels == after.labels
            && (&old.endpoints, &old.ports, &old.address_type)
                == (&new.endpoints, &new.ports, &new.address_type);
    }
    // The annotations of a Deployment are part of what it makes.
    let counts_annotations = kind == <Deployment as Object>::kind();
    kind.same_spec(old, new) == Some(true) && !(counts_annotations && before.annotations != after.annotations)
}

/// An object as it is first stored: without the status its creator may have sent, and with what its kind begins with.
pub(super) fn first_state(object: Arc<dyn DynObject>) -> Arc<dyn DynObject> {
    let kind = object.kind();
    // A node comes with the status of its machine (upstream: kubelet's registration).
    if kind == <Node as Object>::kind() {
        return object;
    }
    if kind.is_defined() && kind.subresources.status {
        let empty = CustomObject::empty(kind);
        return kind.with_status(object, &empty).expect("both are of this kind");
    }
    let object = match EMPTY.get(kind).filter(|_| kind.subresources.status) {
        Some(empty) => kind.with_status(object, &**empty).expect("both are of this kind"),
        None => object,
    };
    if kind == <Namespace as Object>::kind() {
        return change(object, first_namespace);
    }
    // These begin with a status that says nothing.
    if kind == <Deployment as Object>::kind() {
        return change(object, |deployment: &mut Deployment| deployment.status = Some(Default::default()));
    }
    if kind == <ReplicaSet as Object>::kind() {
        return change(object, |set: &mut ReplicaSet| set.status = Some(Default::default()));
    }
    if kind == <StatefulSet as Object>::kind() {
        return change(object, |set: &mut StatefulSet| {
            let available_replicas = Some(0);
            set.status = Some(StatefulSetStatus { available_replicas, ..StatefulSetStatus::default() });
        });
    }
    if kind == <Service as Object>::kind() {
        return change(object, |service: &mut Service| {
            let load_balancer = Some(LoadBalancerStatus::default());
            service.status = Some(ServiceStatus { load_balancer, ..ServiceStatus::default() });
        });
    }
    if kind == <Pod as Object>::kind() {
        return change(object, |pod: &mut Pod| {
            pod.status = Some(PodStatus { phase: Some("Pending".into()), ..PodStatus::default() });
        });
    }
    object
}

fn first_namespace(namespace: &mut Namespace) {
    let name = namespace.metadata.name.clone().unwrap_or_default();
    let labels = namespace.metadata.labels.get_or_insert_with(BTreeMap::new);
    labels.insert(NAMESPACE_NAME_LABEL.into(), name);
    let finalizers = namespace.spec.get_or_insert_default().finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == KUBERNETES_FINALIZER) {
        finalizers.push(KUBERNETES_FINALIZER.into());
    }
    namespace.status = Some(NamespaceStatus { phase: Some("Active".into()), ..NamespaceStatus::default() });
}

/// What an object would be of itself: what its kind always has, and what its creator, who gave `given`, did not choose.
pub(super) fn of_itself(given: &dyn DynObject, made: &Value) -> Value {
    let kind = given.kind();
    let mut nothing = EMPTY.get(kind).map_or_else(|| json!({}), |empty| empty.to_value());
    let own = if kind == <Namespace as Object>::kind() {
        json!({"finalizers": [KUBERNETES_FINALIZER]})
    } else if kind == <Pod as Object>::kind() {
        let toleration = |taint: &str| json!({"effect": "NoExecute", "key": taint, "operator": "Exists", "tolerationSeconds": 300});
        json!({
            "serviceAccount": "default",
            "serviceAccountName": "default",
            "priority": 0,
            "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")],
        })
    } else if kind == <Service as Object>::kind() {
        let given = given.to_value();
        let fields = ["clusterIPs", "ipFamilies", "ipFamilyPolicy"].into_iter();
        let own = fields.filter(|field| given["spec"].get(field).is_none());
        let own = own.filter_map(|field| Some((field.to_owned(), made["spec"].get(field)?.clone())));
        own.collect::<serde_json::Map<_, _>>().into()
    } else {
        json!({})
    };
    for (field, value) in own.as_object().into_iter().flatten() {
        nothing["spec"][field] = value.clone();
    }
    nothing
}

/// An update of a kind whose spec is not for everybody to write.
pub(super) fn keep_protected(current: &dyn DynObject, wanted: Arc<dyn DynObject>) -> Arc<dyn DynObject> {
    match (current as &dyn Any).downcast_ref::<Namespace>() {
        Some(current) => change(wanted, |namespace: &mut Namespace| {
            namespace.spec.clone_from(&current.spec);
            let name = namespace.metadata.name.clone().unwrap_or_default();
            namespace
                .metadata
                .labels
                .get_or_insert_with(BTreeMap::new)
                .insert(NAMESPACE_NAME_LABEL.into(), name);
        }),
        None => wanted,
    }
}

/// What of an object's metadata is not written with its status (upstream: the strategies of `/status`).
pub(super) fn keep_with_status(kind: &Kind, old: &ObjectMeta, metadata: &mut ObjectMeta) {
    if kind == <Deployment as Object>::kind() {
        metadata.labels.clone_from(&old.labels);
    }
    if kind == <Pod as Object>::kind() {
        metadata.owner_references.clone_from(&old.owner_references);
    }
    let mut annotations = metadata.annotations.take().unwrap_or_default();
    for name in kind.spec_annotations() {
        match old.annotations.as_ref().and_then(|annotations| annotations.get(*name)) {
            Some(said) => _ = annotations.insert((*name).to_owned(), said.clone()),
            None => _ = annotations.remove(*name),
        }
    }
    metadata.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
}

/// An object whose deletion begins.
pub(super) fn dying(object: Arc<dyn DynObject>, now: &Time) -> Arc<dyn DynObject> {
    if object.kind() == <CustomResourceDefinition as Object>::kind() {
        return change(object, |crd: &mut CustomResourceDefinition| {
            let words =
                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
            custom::set_condition(crd, TERMINATING, true, "InstanceDeletionPending", words, now);
        });
    }
    if object.kind() != <Namespace as Object>::kind() {
        return object;
    }
    change(object, |namespace: &mut Namespace| {
        namespace.status.get_or_insert_default().phase = Some("Terminating".into());
        namespace.metadata.deletion_grace_period_seconds = None;
    })
}

/// The finalizers that a kind keeps outside of its metadata.
pub(super) fn has_own_finalizers(object: &dyn DynObject) -> bool {
    (object as &dyn Any)
        .downcast_ref::<Namespace>()
        .and_then(|namespace| namespace.spec.as_ref()?.finalizers.as_ref())
        .is_some_and(|finalizers| !finalizers.is_empty())
}

fn change<K: Object>(object: Arc<dyn DynObject>, change: impl FnOnce(&mut K)) -> Arc<dyn DynObject> {
    match downcast::<K>(Arc::clone(&object)) {
        Some(typed) => {
            drop(object);
            let mut typed = Arc::unwrap_or_clone(typed);
            change(&mut typed);
            Arc::new(typed)
        }
        None => object,
    }
}

/// An object of each kind with no status.
static EMPTY: LazyLock<HashMap<&'static Kind, Arc<dyn DynObject>>> = LazyLock::new(|| {
    let empty = |kind: &'static Kind| {
        let json = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {}, "spec": {}});
        Some((kind, kind.decode_value(json).ok()?))
    };
    kinds::served().filter_map(empty).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_with_a_status_can_be_without_one() {
        for kind in kinds::served().filter(|kind| kind.subresources.status) {
            assert!(EMPTY.contains_key(kind), "{kind:?}");
        }
    }
}
