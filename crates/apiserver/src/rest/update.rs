//! PUT.

use std::sync::Arc;

use http::{Response, StatusCode};
use resources::{
    Kind, Object,
    builtin::{Endpoints, Event, Lease, Service, events},
    custom::CustomResourceDefinition,
    meta::ObjectMeta,
};

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation},
    reply,
};
use crate::{
    aside::aside,
    mount::Body,
    registry::{Target, Wanted},
    status::Failure,
    store::Stored,
};

pub(super) async fn run(mut call: Call, target: Target) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let validation = FieldValidation::of(&call)?;
    let parsed = body::parse(&mut call).await?;
    let bytes = parsed.bytes;
    let decoded = decode::object(parsed, &call.resource, validation).await?;
    let caller = call.caller()?;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let is_new = target == Target::Object
        && created_by_update().contains(&kind)
        && call.registry().store.get(kind, &key)?.is_none();
    if is_new {
        call.check_may_create().await?;
        aside(bytes, || call.check_grant(&decoded.object, None)).await?;
        let stored = call.registry().create(Wanted::new(decoded.object, bytes), &caller).await?;
        let mut all = decoded.warnings;
        all.extend(call.registry().warnings(&*stored.object()?, None).await);
        return Ok(reply::warn(reply::object(&call, StatusCode::CREATED, &stored, &form)?, &all));
    }
    let mut before = None;
    let wanted = |current: &Stored| {
        let present = current.object()?;
        check_version(&call, decoded.object.metadata(), present.metadata())?;
        before = Some(present);
        call.check_grant(&decoded.object, Some(current))?;
        Ok::<_, Failure>(Wanted::new(Arc::clone(&decoded.object), bytes))
    };
    let stored = call.registry().update(kind, &key, target, &caller, wanted).await?;
    let mut all = decoded.warnings;
    if target == Target::Object {
        all.extend(call.registry().warnings(&*stored.object()?, before.as_deref()).await);
    }
    Ok(reply::warn(reply::object(&call, StatusCode::OK, &stored, &form)?, &all))
}

/// Kinds of which an update makes what there is not (upstream: `AllowCreateOnUpdate` of their strategies).
fn created_by_update() -> [&'static Kind; 5] {
    [Endpoints::kind(), Event::kind(), events::Event::kind(), Lease::kind(), Service::kind()]
}

/// Knative's kinds are custom resources upstream, and those are not replaced without saying which version.
fn check_version(call: &Call, metadata: &ObjectMeta, present: &ObjectMeta) -> Result<(), Failure> {
    let kind = call.resource.kind;
    let definitions = <CustomResourceDefinition as Object>::kind();
    let strict = !kind.is_builtin() || kind == definitions || kind == Lease::kind();
    // Of one that is another object, that is told instead.
    let is_other =
        metadata.uid.as_ref().is_some_and(|uid| !uid.is_empty() && Some(uid) != present.uid.as_ref());
    if !strict || is_other || objects::says_version(metadata) {
        return Ok(());
    }
    Err(Failure::version_missing(kind, metadata.name.as_deref().unwrap_or_default()))
}
