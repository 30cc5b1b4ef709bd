//! `/scale`: the replica count by itself.

use http::{Method, Response, StatusCode};
use objects::{Cause, Error};
use resources::DynObject;
use serde_json::{Value, json};

use super::{body, call::Call, patch, reply};
use crate::{
    mount::Body,
    registry::{Target, Wanted, replicas, with_replicas},
    status::Failure,
    store::Stored,
};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    let (kind, key) = (call.resource.kind, call.resource.key());
    let written = match call.method {
        Method::GET => {
            return Ok(reply::value(StatusCode::OK, &scale(&*call.registry().get(kind, &key)?.object()?)?));
        }
        Method::PUT => {
            let wanted = body::parse(&mut call).await?.value;
            let caller = call.caller()?;
            let change = |current: &Stored| scaled(current, &wanted);
            call.registry().update(kind, &key, Target::Object, &caller, change).await?
        }
        Method::PATCH => {
            let patch = patch::read(&mut call).await?;
            let caller = call.caller()?;
            let change = |current: &Stored| {
                let wanted = patch.apply(kind, scale(&*current.object()?)?).map_err(patch::refused)?;
                scaled(current, &wanted)
            };
            call.registry().update(kind, &key, Target::Object, &caller, change).await?
        }
        _ => return Err(Failure::method_not_allowed()),
    };
    Ok(reply::value(StatusCode::OK, &scale(&*written.object()?)?))
}

/// The `autoscaling/v1` Scale of an object.
fn scale(object: &dyn DynObject) -> Result<Value, Failure> {
    let replicas = replicas(object).ok_or_else(Failure::no_such_path)?;
    let metadata = object.metadata();
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
            "creationTimestamp": metadata.creation_timestamp,
        },
        "spec": {"replicas": replicas.wanted},
        "status": {"replicas": replicas.found},
    });
    if let Some(selector) = replicas.selector {
        scale["status"]["selector"] = selector_text(&selector).into();
    }
    Ok(scale)
}

fn selector_text(selector: &resources::meta::LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten().map(|expression| {
        let (key, values) =
            (&expression.key, expression.values.iter().flatten().cloned().collect::<Vec<_>>().join(","));
        match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    });
    equal.chain(expressions).collect::<Vec<_>>().join(",")
}

/// The object with the replicas of a Scale.
fn scaled(current: &Stored, scale: &Value) -> Result<Wanted, Failure> {
    let object = current.object()?;
    let metadata = object.metadata();
    let name = metadata.name.clone().unwrap_or_default();
    let given = scale.pointer("/metadata/name").and_then(Value::as_str);
    if given.is_some_and(|given| given != name) {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            given.unwrap_or_default()
        )));
    }
    let wanted = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => 0,
        Some(replicas) => replicas.as_i64().and_then(|replicas| i32::try_from(replicas).ok()).ok_or_else(|| {
            Failure::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: {replicas} is not a 32-bit number"))
        })?,
    };
    if wanted < 0 {
        let cause = Cause {
            field: "spec.replicas".into(),
            reason: "FieldValueInvalid".into(),
            message: format!("Invalid value: {wanted}: must be greater than or equal to 0"),
        };
        return Err(Error::Invalid { kind: object.kind(), name, causes: vec![cause] }.into());
    }
    let scaled = with_replicas(&*object, wanted).ok_or_else(Failure::no_such_path)?;
    let mut metadata = metadata.clone();
    let version = scale.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    metadata.resource_version = version.filter(|version| !version.is_empty()).map(str::to_owned);
    Ok(Wanted { object: scaled.with_metadata(metadata), size_hint: current.cost() })
}
