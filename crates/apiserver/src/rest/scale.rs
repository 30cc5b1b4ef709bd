//! `/scale`: the replica count by itself.

use std::any::Any;

use http::{Method, Response, StatusCode};
use objects::{Cause, Error};
use resources::{DynObject, Kind, custom::CustomObject};
use serde_json::{Value, json};

use super::{apply, body, call::Call, patch, reply};
use crate::{
    mount::Body,
    patch::APPLY,
    registry::{Target, Wanted, replicas, with_replicas},
    status::Failure,
    store::Stored,
};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    let (kind, key) = (call.resource.kind, call.resource.key());
    let written = match call.method {
        Method::GET => {
            let object = call.registry().get(kind, &key)?.object()?;
            check_counted(&*object)?;
            return Ok(reply::value(StatusCode::OK, &scale(&*object)?));
        }
        Method::PUT => {
            let wanted = body::parse(&mut call).await?.value;
            let caller = call.caller()?;
            let change = |current: &Stored| scaled(current, &wanted);
            call.registry().update(kind, &key, Target::Object, &caller, change).await?
        }
        Method::PATCH if body::media_type(&call.headers) == APPLY => {
            let wanted = apply::read(&mut call).await?;
            let configuration = configuration(&call, &wanted)?;
            apply::apply(&call, Target::Object, configuration).await?.stored
        }
        Method::PATCH => {
            let patch = patch::read(&mut call).await?;
            let caller = call.caller()?;
            let change = |current: &Stored| {
                let limits = &call.registry().limits;
                let wanted =
                    patch.apply(kind, scale(&*current.object()?)?, limits).map_err(patch::refused)?;
                scaled(current, &wanted)
            };
            call.registry().update(kind, &key, Target::Object, &caller, change).await?
        }
        _ => return Err(Failure::method_not_allowed()),
    };
    Ok(reply::value(StatusCode::OK, &scale(&*written.object()?)?))
}

/// What a Scale that is applied says of the object itself.
fn configuration(call: &Call, scale: &Value) -> Result<Value, Failure> {
    let (kind, key) = (call.resource.kind, call.resource.key());
    check_name(scale, &key.name)?;
    let replicas = wanted_replicas(kind, &key.name, scale)?;
    let mut configuration = json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
    });
    let path = kind.scale_paths().map_or(".spec.replicas", |paths| &paths.spec_replicas);
    let mut field = &mut configuration;
    for name in path.split('.').skip(1) {
        field = &mut field[name];
    }
    *field = replicas.into();
    Ok(configuration)
}

/// An object of a user's kind may not say how many are wanted.
fn check_counted(object: &dyn DynObject) -> Result<(), Failure> {
    let custom = (object as &dyn Any).downcast_ref::<CustomObject>();
    match (custom, object.kind().scale_paths()) {
        (Some(custom), Some(paths)) if custom.value_at(&paths.spec_replicas).is_none() => {
            let why = format!("the spec replicas field {:?} does not exist", paths.spec_replicas);
            Err(Error::Internal(why).into())
        }
        _ => Ok(()),
    }
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
        scale["status"]["selector"] = selector.into();
    }
    Ok(scale)
}

/// The object with the replicas of a Scale.
fn scaled(current: &Stored, scale: &Value) -> Result<Wanted, Failure> {
    let object = current.object()?;
    let metadata = object.metadata();
    let name = metadata.name.as_deref().unwrap_or_default();
    check_name(scale, name)?;
    let wanted = wanted_replicas(object.kind(), name, scale)?;
    let scaled = with_replicas(&*object, wanted).ok_or_else(Failure::no_such_path)?;
    let mut metadata = metadata.clone();
    let version = scale.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    metadata.resource_version = version.filter(|version| !version.is_empty()).map(str::to_owned);
    Ok(Wanted::new(scaled.with_metadata(metadata), current.cost()))
}

fn check_name(scale: &Value, name: &str) -> Result<(), Failure> {
    match scale.pointer("/metadata/name").and_then(Value::as_str) {
        Some(given) if given != name => Err(Failure::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    }
}

fn wanted_replicas(kind: &'static Kind, name: &str, scale: &Value) -> Result<i32, Failure> {
    let wanted = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => 0,
        Some(replicas) => replicas.as_i64().and_then(|replicas| i32::try_from(replicas).ok()).ok_or_else(|| {
            Failure::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: {replicas} is not a 32-bit number"))
        })?,
    };
    if wanted >= 0 {
        return Ok(wanted);
    }
    let cause = Cause {
        field: "spec.replicas".into(),
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {wanted}: must be greater than or equal to 0"),
    };
    Err(Error::Invalid { kind, name: name.to_owned(), causes: vec![cause] }.into())
}
