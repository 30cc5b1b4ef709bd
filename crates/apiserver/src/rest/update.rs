//! PUT.

use std::sync::Arc;

use http::{Response, StatusCode};
use resources::{
    Object, admission::warnings, builtin::Lease, custom::CustomResourceDefinition, meta::ObjectMeta,
};

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation},
    reply,
};
use crate::{
    mount::Body,
    registry::{Target, Wanted},
    status::Failure,
};

pub(super) async fn run(mut call: Call, target: Target) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let validation = FieldValidation::of(&call.query)?;
    let parsed = body::parse(&mut call).await?;
    let len = parsed.len;
    let decoded = decode::object(parsed, &call.resource, validation)?;
    check_version(&call, decoded.object.metadata())?;
    let caller = call.caller()?;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let wanted = |_: &_| Ok::<_, Failure>(Wanted::new(Arc::clone(&decoded.object), len));
    let stored = call.registry().update(kind, &key, target, &caller, wanted).await?;
    let mut all = decoded.warnings;
    all.extend(warnings(&*stored.object()?, &call.registry().configs.current()));
    Ok(reply::warn(reply::object(&call, StatusCode::OK, &stored, &form)?, &all))
}

/// Knative's kinds are custom resources upstream, and those are not replaced without saying which version.
fn check_version(call: &Call, metadata: &ObjectMeta) -> Result<(), Failure> {
    let kind = call.resource.kind;
    let definitions = <CustomResourceDefinition as Object>::kind();
    let strict = kind.is_custom() || kind == definitions || kind == Lease::kind();
    if !strict || objects::says_version(metadata) {
        return Ok(());
    }
    if kind.is_defined() || kind == definitions {
        return Err(Failure::version_missing(kind, metadata.name.as_deref().unwrap_or_default()));
    }
    let cause = objects::Cause {
        field: "metadata.resourceVersion".into(),
        reason: "FieldValueInvalid".into(),
        message: "Invalid value: 0: must be specified for an update".into(),
    };
    let name = metadata.name.clone().unwrap_or_default();
    Err(objects::Error::Invalid { kind, name, causes: vec![cause] }.into())
}
