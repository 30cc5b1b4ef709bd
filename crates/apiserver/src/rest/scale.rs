//! `/scale`: the replica count by itself.

use std::any::Any;

use http::{Method, Response, StatusCode};
use objects::Error;
use resources::{DynObject, custom::CustomObject};
use serde_json::{Value, json};

use super::{Form, apply, body, call::Call, decode, partial, patch, reply};
use crate::{
    mount::Body,
    patch::APPLY,
    registry::{Target, Wanted, replicas, with_replicas},
    status::Failure,
    store::Stored,
    table,
};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let written = match call.method {
        Method::GET => {
            let object = call.registry().get(kind, &key)?.object()?;
            check_counted(&*object)?;
            return answer(&call, &form, &*object);
        }
        Method::PUT => {
            let wanted = body::parse(&mut call).await?.value;
            let caller = call.caller()?;
            let unread = |why: String| {
                Failure::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {why}"))
            };
            let change = |current: &Stored| scaled(current, &wanted, unread);
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
                let unread = |why: String| {
                    let text = wanted.to_string();
                    Failure::unprocessable(format!(" \"\" is invalid: patch: Invalid value: {text:?}: {why}"))
                };
                scaled(current, &wanted, unread)
            };
            call.registry().update(kind, &key, Target::Object, &caller, change).await?
        }
        _ => return Err(Failure::method_not_allowed()),
    };
    answer(&call, &form, &*written.object()?)
}

fn answer(call: &Call, form: &Form, object: &dyn DynObject) -> Result<Response<Body>, Failure> {
    let scale = scale(object)?;
    Ok(reply::value(
        StatusCode::OK,
        &match form {
            Form::Table(form) => table::of_scale(&scale, *form, call.now()),
            Form::Partial { .. } => partial::around(scale["metadata"].clone()),
            Form::Object | Form::Discovery(_) => scale,
        },
    ))
}

/// What a Scale that is applied says of the object itself.
fn configuration(call: &Call, scale: &Value) -> Result<Value, Failure> {
    let (kind, key) = (call.resource.kind, call.resource.key());
    decode::check_name(scale, &key.name)?;
    let unread =
        |why: String| Failure::untyped(format!("failed to convert new object to proper version: {why}"));
    let replicas = wanted_replicas(&key.name, scale, unread)?;
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
        "spec": {},
        "status": {"replicas": replicas.found},
    });
    // None wanted is nothing said.
    if replicas.wanted != 0 {
        scale["spec"]["replicas"] = replicas.wanted.into();
    }
    if let Some(selector) = replicas.selector {
        scale["status"]["selector"] = selector.into();
    }
    Ok(scale)
}

/// The object with the replicas of a Scale. `unread`: what is said of one that is none.
fn scaled(current: &Stored, scale: &Value, unread: impl Fn(String) -> Failure) -> Result<Wanted, Failure> {
    let object = current.object()?;
    let metadata = object.metadata();
    let name = metadata.name.as_deref().unwrap_or_default();
    decode::check_name(scale, name)?;
    let wanted = wanted_replicas(name, scale, unread)?;
    let scaled = with_replicas(&*object, wanted).ok_or_else(Failure::no_such_path)?;
    let mut metadata = metadata.clone();
    let version = scale.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    metadata.resource_version = version.filter(|version| !version.is_empty()).map(str::to_owned);
    Ok(Wanted::new(scaled.with_metadata(metadata), current.cost()))
}

fn wanted_replicas(name: &str, scale: &Value, unread: impl Fn(String) -> Failure) -> Result<i32, Failure> {
    let wanted = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => 0,
        Some(replicas) => {
            let number = replicas.as_i64().and_then(|replicas| i32::try_from(replicas).ok());
            number.ok_or_else(|| {
                let found = match replicas {
                    Value::Bool(_) => "bool",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    _ => "object",
                };
                unread(format!(
                    "json: cannot unmarshal {found} into Go struct field ScaleSpec.spec.replicas of type int32"
                ))
            })?
        }
    };
    if wanted >= 0 {
        return Ok(wanted);
    }
    let why = format!("Invalid value: {wanted}: must be greater than or equal to 0");
    Err(Failure::invalid("autoscaling", "Scale", name, &[("spec.replicas", why)]))
}
