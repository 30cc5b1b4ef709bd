//! PATCH.

use bytes::Bytes;
use http::{Response, StatusCode};
use resources::{DynObject, Kind, meta::ObjectMeta};

use super::{
    apply, body,
    call::Call,
    decode::{self, FieldValidation, Misfit},
    reply,
};
use crate::{
    mount::Body,
    patch::{APPLY, Patch, PatchError},
    registry::{Target, Wanted},
    status::Failure,
    store::Stored,
};

pub(super) async fn run(mut call: Call, target: Target) -> Result<Response<Body>, Failure> {
    if body::media_type(&call.headers) == APPLY {
        return apply::run(call, target).await;
    }
    let form = call.form()?;
    check_force(&call)?;
    let validation = FieldValidation::of(&call)?;
    let patch = read(&mut call).await?;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let caller = call.caller()?;
    let (mut all, mut before) = (Vec::new(), None);
    let wanted = |current: &Stored| {
        before = Some(current.object()?);
        let value = serde_json::from_slice(&current.json())
            .map_err(|error| objects::Error::Internal(format!("a stored object cannot be read: {error}")))?;
        let value = patch.apply(kind, value, &call.registry().limits).map_err(refused)?;
        let text = value.to_string();
        let decoded = decode::decode(&call.resource, value, patch.duplicates(), None, validation).map_err(
            |misfit| {
                let why = match misfit {
                    Misfit::Type(why) => why,
                    Misfit::Strict(why) => format!("strict decoding error: {why}"),
                };
                Failure::unprocessable(format!(" \"\" is invalid: patch: Invalid value: {text:?}: {why}"))
            },
        )?;
        let metadata = decoded.object.metadata();
        check_uid(kind, metadata, before.as_deref())?;
        if metadata.name.as_deref() != Some(key.name.as_str()) {
            return Err(Failure::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({})",
                metadata.name.as_deref().unwrap_or_default(),
                key.name,
            )));
        }
        if metadata.namespace.as_deref().unwrap_or_default() != key.namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        call.check_grant(&decoded.object, Some(current))?;
        all = decoded.warnings;
        Ok(Wanted::new(decoded.object, text.len()))
    };
    let stored = call.registry().update(kind, &key, target, &caller, wanted).await?;
    if target == Target::Object {
        all.extend(call.registry().warnings(&*stored.object()?, before.as_deref()).await);
    }
    Ok(reply::warn(reply::object(&call, StatusCode::OK, &stored, &form)?, &all))
}

/// A patch changes an object and makes no other of it.
fn check_uid(
    kind: &'static Kind,
    wanted: &ObjectMeta,
    before: Option<&dyn DynObject>,
) -> Result<(), objects::Error> {
    let found = before.and_then(|before| before.metadata().uid.as_ref());
    match wanted.uid.as_ref().filter(|uid| !uid.is_empty() && Some(*uid) != found) {
        None => Ok(()),
        Some(uid) => {
            let message = format!("Invalid value: {uid:?}: field is immutable");
            let (field, reason) = ("metadata.uid".into(), "FieldValueInvalid".into());
            let cause = objects::Cause { field, reason, message };
            let name = wanted.name.clone().unwrap_or_default();
            Err(objects::Error::Invalid { kind, name, causes: vec![cause] })
        }
    }
}

/// `force` is for server-side apply alone.
fn check_force(call: &Call) -> Result<(), Failure> {
    match call.query.get("force") {
        None => Ok(()),
        Some(_) => Err(Failure::options(
            "PatchOptions",
            &[("force", "Forbidden: may not be specified for non-apply patch".to_owned())],
        )),
    }
}

/// The patch in the body.
pub(super) async fn read(call: &mut Call) -> Result<Patch, Failure> {
    let media_type = body::media_type(&call.headers).to_owned();
    let kind = call.resource.kind;
    Patch::check_type(kind, &media_type).map_err(refused)?;
    let bytes: Bytes = body::read(call).await?;
    let parsed = body::parse_bytes(call, body::Format::Json, &bytes).await?;
    let limits = &call.shared.registry.limits;
    Patch::new(&media_type, parsed.value, parsed.duplicates, limits).map_err(refused)
}

pub(super) fn refused(error: PatchError) -> Failure {
    match error {
        PatchError::MediaType(message) => Failure::unsupported_media_type(message),
        PatchError::TooMany(message) => Failure::too_large(message),
        PatchError::Malformed(message) => Failure::bad_request(message),
        PatchError::DoesNotFit(message) => Failure::unprocessable(message),
    }
}
