//! The fields that field selectors may name, by kind (upstream: each kind's field label conversion).

use std::any::Any;

use resources::{
    DynObject, Kind, Object,
    builtin::{Event, Namespace, Node, Pod, Secret, Service, events},
    custom::CustomObject,
};

type Fields<'a> = Vec<(&'a str, String)>;

/// The selectable fields of a kind beside `metadata.name` and `metadata.namespace`.
pub(crate) fn names(kind: &Kind) -> &'static [&'static str] {
    const POD: &[&str] = &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    ];
    const EVENT: &[&str] = &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ];
    const EVENTS_EVENT: &[&str] = &[
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "regarding.apiVersion",
        "regarding.resourceVersion",
        "regarding.fieldPath",
        "reason",
        "reportingController",
        "type",
    ];
    if kind == <Pod as Object>::kind() {
        POD
    } else if kind == <Event as Object>::kind() {
        EVENT
    } else if kind == <events::Event as Object>::kind() {
        EVENTS_EVENT
    } else if kind == <Namespace as Object>::kind() {
        &["status.phase"]
    } else if kind == <Secret as Object>::kind() {
        &["type"]
    } else if kind == <Service as Object>::kind() {
        &["spec.clusterIP", "spec.type"]
    } else if kind == <Node as Object>::kind() {
        &["spec.unschedulable"]
    } else {
        kind.selectable_fields()
    }
}

/// What a field of a kind is called where it is noted: as the form that is stored has it.
pub(crate) fn stored_as(kind: &Kind, field: String) -> String {
    if kind != <events::Event as Object>::kind() {
        return field;
    }
    match field.strip_prefix("regarding.") {
        Some(of_object) => format!("involvedObject.{of_object}"),
        None if field == "reportingController" => "reportingComponent".to_owned(),
        None => field,
    }
}

/// The values of an object's selectable fields; empty ones are left out. `defined`: those of a kind that users define.
pub(crate) fn of<'a>(object: &dyn DynObject, defined: &'a [Box<str>]) -> Fields<'a> {
    let any: &dyn Any = object;
    let mut fields = if let Some(pod) = any.downcast_ref::<Pod>() {
        pod_fields(pod)
    } else if let Some(event) = any.downcast_ref::<Event>() {
        event_fields(event)
    } else if let Some(Namespace { status, .. }) = any.downcast_ref() {
        vec![("status.phase", text(status.as_ref().and_then(|status| status.phase.as_ref())))]
    } else if let Some(Service { spec, .. }) = any.downcast_ref() {
        let spec = spec.as_ref();
        vec![
            ("spec.clusterIP", text(spec.and_then(|spec| spec.cluster_ip.as_ref()))),
            ("spec.type", text(spec.and_then(|spec| spec.type_.as_ref()))),
        ]
    } else if let Some(Node { spec, .. }) = any.downcast_ref() {
        let unschedulable = spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
        vec![("spec.unschedulable", unschedulable.to_string())]
    } else if let Some(Secret { type_, .. }) = any.downcast_ref() {
        vec![("type", text(type_.as_ref()))]
    } else if let Some(custom) = any.downcast_ref::<CustomObject>() {
        custom_fields(custom, defined)
    } else {
        Vec::new()
    };
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

fn custom_fields<'a>(object: &CustomObject, fields: &'a [Box<str>]) -> Fields<'a> {
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields
        .iter()
        .filter_map(|field| {
            let path: Vec<&str> = field.split('.').collect();
            Some((&**field, object.value(&path).map(plain)?))
        })
        .collect()
}

fn pod_fields(pod: &Pod) -> Fields<'static> {
    let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
    vec![
        ("spec.nodeName", text(spec.and_then(|spec| spec.node_name.as_ref()))),
        ("spec.restartPolicy", text(spec.and_then(|spec| spec.restart_policy.as_ref()))),
        ("spec.schedulerName", text(spec.and_then(|spec| spec.scheduler_name.as_ref()))),
        ("spec.serviceAccountName", text(spec.and_then(|spec| spec.service_account_name.as_ref()))),
        ("status.phase", text(status.and_then(|status| status.phase.as_ref()))),
        ("status.podIP", text(status.and_then(|status| status.pod_ip.as_ref()))),
    ]
}

fn event_fields(event: &Event) -> Fields<'static> {
    let object = &event.involved_object;
    let component = event.source.as_ref().and_then(|source| source.component.as_ref());
    vec![
        ("involvedObject.kind", text(object.kind.as_ref())),
        ("involvedObject.namespace", text(object.namespace.as_ref())),
        ("involvedObject.name", text(object.name.as_ref())),
        ("involvedObject.uid", text(object.uid.as_ref())),
        ("involvedObject.apiVersion", text(object.api_version.as_ref())),
        ("involvedObject.resourceVersion", text(object.resource_version.as_ref())),
        ("involvedObject.fieldPath", text(object.field_path.as_ref())),
        ("reason", text(event.reason.as_ref())),
        ("reportingComponent", text(event.reporting_component.as_ref())),
        ("source", text(component.or(event.reporting_component.as_ref()))),
        ("type", text(event.type_.as_ref())),
    ]
}

fn text(field: Option<&String>) -> String {
    field.cloned().unwrap_or_default()
}
