//! Questions about users and their rights: an object is sent and comes back with the answer (upstream: kubernetes,
//! `pkg/registry/authentication` and `pkg/registry/authorization`).

mod access;
mod who;

use http::{Method, Response, StatusCode};
use resources::{
    DynObject, downcast, kinds,
    reviews::{
        LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectReview, SelfSubjectRulesReview,
        SubjectAccessReview, TokenReview,
    },
};

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation},
    path::Resource,
    query, reply, segments,
};
use crate::{mount::Body, status::Failure};

/// The question that is asked at a path; `None` for other paths.
pub(super) fn of(path: &str) -> Option<Resource> {
    let segments = segments(path);
    let (group, version, namespace, plural) = match segments.as_slice() {
        ["apis", group, version, plural] => (group, version, None, plural),
        ["apis", group, version, "namespaces", namespace, plural] => {
            (group, version, Some(query::decode(namespace)), plural)
        }
        _ => return None,
    };
    let kind = kinds::reviews().iter().copied().find(|kind| {
        kind.group == *group
            && kind.version == *version
            && kind.plural == *plural
            && kind.namespaced == namespace.is_some()
    })?;
    Some(Resource { kind, definition: None, namespace, name: None, subresource: None, watched: false })
}

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    if call.method != Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let validation = FieldValidation::of(&call)?;
    let parsed = body::parse(&mut call).await?;
    let decode::Decoded { object, warnings } = decode::object(parsed, &call.resource, validation).await?;
    let answer = if let Some(review) = downcast::<SelfSubjectReview>(object.clone()) {
        who::am_i(&call, &review).to_value()
    } else if let Some(review) = downcast::<TokenReview>(object.clone()) {
        who::has(&call, &review)?.to_value()
    } else if let Some(review) = downcast::<SelfSubjectRulesReview>(object.clone()) {
        access::rules(&call, &review).await?.to_value()
    } else if let Some(review) = downcast::<SelfSubjectAccessReview>(object.clone()) {
        access::own(&call, &review).await?.to_value()
    } else if let Some(review) = downcast::<SubjectAccessReview>(object.clone()) {
        access::of_user(&call, &review).await?.to_value()
    } else {
        let review = downcast::<LocalSubjectAccessReview>(object).ok_or_else(Failure::no_such_path)?;
        access::local(&call, &review).await?.to_value()
    };
    Ok(reply::warn(reply::value(StatusCode::CREATED, &answer), &warnings))
}
