//! POST.

use http::{Response, StatusCode};

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation},
    reply,
};
use crate::{aside::aside, mount::Body, registry::Wanted, status::Failure};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let validation = FieldValidation::of(&call)?;
    if call.resource.kind.namespaced && call.resource.namespace.is_none() {
        return Err(Failure::method_not_allowed());
    }
    // Upstream asks before it reads anything; the store asks again.
    if call.resource.definition.as_ref().is_some_and(|definition| definition.is_terminating()) {
        return Err(Failure::create_not_allowed(call.resource.kind));
    }
    let parsed = body::parse(&mut call).await?;
    let bytes = parsed.bytes;
    let decoded = decode::object(parsed, &call.resource, validation).await?;
    let caller = call.caller()?;
    aside(bytes, || call.check_grant(&decoded.object, None)).await?;
    let stored = call.registry().create(Wanted::new(decoded.object, bytes), &caller).await?;
    let mut all = decoded.warnings;
    all.extend(call.registry().warnings(&*stored.object()?, None).await);
    Ok(reply::warn(reply::object(&call, StatusCode::CREATED, &stored, &form)?, &all))
}
