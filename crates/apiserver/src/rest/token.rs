//! POST of a `TokenRequest` to a ServiceAccount.

use http::{Method, Response, StatusCode};
use resources::{Object, downcast, reviews::TokenRequest};

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation},
    path::Resource,
    reply,
};
use crate::{mount::Body, status::Failure};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    if call.method != Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let account = call.resource.key();
    let validation = FieldValidation::of(&call)?;
    let parsed = body::parse(&mut call).await?;
    // Its name is looked at with the ServiceAccount.
    let namespace = call.resource.namespace.clone();
    let asked = Resource {
        kind: TokenRequest::kind(),
        definition: None,
        namespace,
        name: None,
        subresource: None,
        watched: false,
    };
    let decoded = decode::object(parsed, &asked, validation).await?;
    let request = downcast::<TokenRequest>(decoded.object).ok_or_else(Failure::no_such_path)?;
    let request = TokenRequest::clone(&request);
    let issued = call.shared.tokens.issue(call.registry(), &account, request)?;
    let answer = reply::value(StatusCode::CREATED, &resources::DynObject::to_value(&issued));
    Ok(reply::warn(answer, &decoded.warnings))
}
