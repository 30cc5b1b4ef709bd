//! POST of an `Eviction` to a pod: it is asked to go, as `kubectl drain` does (upstream: `pkg/registry/core/pod/storage`,
//! EvictionREST).

use http::{Method, Response, StatusCode};
use objects::{DeleteOptions, Precondition};
use serde_json::Value;

use super::{body, call::Call, options, reply};
use crate::{
    mount::Body,
    registry::Caller,
    status::{self, Failure},
};

pub(super) async fn run(mut call: Call) -> Result<Response<Body>, Failure> {
    if call.method != Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let mut eviction = body::parse(&mut call).await?.value;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let named = eviction.pointer("/metadata/name").and_then(Value::as_str).unwrap_or(&key.name);
    if named != key.name {
        return Err(Failure::bad_request("name in URL does not match name in Eviction object"));
    }
    let mut wanted = DeleteOptions {
        grace_period_seconds: None,
        propagation: None,
        precondition: Precondition::default(),
        dry_run: false,
    };
    if let Some(given) = eviction.get_mut("deleteOptions").map(Value::take).filter(Value::is_object) {
        options::from_body(given, &mut wanted)?;
    }
    let caller = call.caller()?;
    let caller = Caller { dry_run: caller.dry_run || wanted.dry_run, ..caller };
    call.registry().delete(kind, &key, &wanted, &caller).await?;
    Ok(reply::value(StatusCode::CREATED, &status::done()))
}
