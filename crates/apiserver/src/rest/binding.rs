//! POST of a `Binding` to a pod: it gets its node, once (upstream: `pkg/registry/core/pod/storage`, BindingREST).

use http::{Method, Response, StatusCode};
use resources::{builtin::Pod, downcast};
use serde_json::Value;

use super::{body, call::Call, reply};
use crate::{
    mount::Body,
    registry::{Caller, Target, Wanted},
    status::{self, Failure},
    store::Stored,
};

const RESOURCE: &str = "pods/binding";

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    if call.method != Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let binding = body::parse(&mut call).await?.value;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let node = node(&binding)?;
    let caller = Caller { binds: true, ..call.caller()? };
    let bind = |current: &Stored| bound(current, &binding, &node);
    call.registry().update(kind, &key, Target::Object, &caller, bind).await?;
    Ok(reply::value(StatusCode::CREATED, &status::done()))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The node that a binding names.
fn node(binding: &Value) -> Result<String, Failure> {
    let mut mistakes = Vec::new();
    let kind = text(binding, "/target/kind");
    if !matches!(kind, "" | "Node") {
        let why = format!("Unsupported value: {kind:?}: supported values: \"Node\", \"<empty>\"");
        mistakes.push(("target.kind", why));
    }
    let name = text(binding, "/target/name");
    if name.is_empty() {
        mistakes.push(("target.name", "Required value".to_owned()));
    }
    match mistakes.as_slice() {
        [] => Ok(name.to_owned()),
        mistakes => Err(Failure::invalid("", "Binding", text(binding, "/metadata/name"), mistakes)),
    }
}

/// The pod with its node.
fn bound(current: &Stored, binding: &Value, node: &str) -> Result<Wanted, Failure> {
    let pod = downcast::<Pod>(current.object()?).ok_or_else(Failure::no_such_path)?;
    let mut pod = Pod::clone(&pod);
    let name = pod.metadata.name.clone().unwrap_or_default();
    let conflict = |why: String| Err(Failure::conflict(RESOURCE, &name, &why));
    let asked = [
        ("UID", text(binding, "/metadata/uid"), &pod.metadata.uid),
        ("ResourceVersion", text(binding, "/metadata/resourceVersion"), &pod.metadata.resource_version),
    ];
    for (what, wanted, found) in asked {
        let found = found.as_deref().unwrap_or_default();
        if !wanted.is_empty() && wanted != found {
            let why = format!(
                "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
            );
            return conflict(why);
        }
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return conflict(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let spec = pod.spec.get_or_insert_default();
    if let Some(known) = spec.node_name.as_deref().filter(|known| !known.is_empty()) {
        return conflict(format!("pod {name} is already assigned to node {known:?}"));
    }
    spec.node_name = Some(node.to_owned());
    for part in ["annotations", "labels"] {
        let given = binding.pointer(&format!("/metadata/{part}")).and_then(Value::as_object);
        let own = match part {
            "annotations" => &mut pod.metadata.annotations,
            _ => &mut pod.metadata.labels,
        };
        for (key, value) in given.into_iter().flatten() {
            own.get_or_insert_default().insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
    }
    Ok(Wanted::new(std::sync::Arc::new(pod), current.cost()))
}
