//! POST.

use http::{Response, StatusCode};
use resources::ObjectKey;

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation},
    reply,
};
use crate::{aside::aside, mount::Body, registry::Wanted, status::Failure};

/// Whoever finds a name taken learns if it is so for a while only.
fn taken(call: &Call, name: &str, error: objects::Error) -> Failure {
    let is_taken = error.is_already_exists();
    let failure = Failure::from(error);
    let key = ObjectKey { name: name.to_owned(), ..call.resource.key() };
    let found = call.registry().store.get(call.resource.kind, &key).ok().flatten();
    let object = found.filter(|_| is_taken).and_then(|found| found.object().ok());
    match object.is_some_and(|object| object.metadata().deletion_timestamp.is_some()) {
        true => failure.within("object is being deleted"),
        false => failure,
    }
}

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
    let name = decoded.object.metadata().name.clone().unwrap_or_default();
    let stored = call.registry().create(Wanted::new(decoded.object, bytes), &caller).await;
    let stored = stored.map_err(|error| taken(&call, &name, error))?;
    let mut all = decoded.warnings;
    all.extend(call.registry().warnings(&*stored.object()?, None).await);
    Ok(reply::warn(reply::object(&call, StatusCode::CREATED, &stored, &form)?, &all))
}
