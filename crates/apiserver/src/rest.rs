//! The REST face of the API: from an HTTP request to the registry and back.
//!
//! ```text
//!   request ─► who? (401, 403) ─► path ─► health, version, discovery, a mount
//!                                  │
//!                                  └─► resource ─► verb: get list watch create update patch delete
//!                                                    │        │                     │
//!                                                 accept   selectors          body, decode, patch
//! ```

mod accept;
mod apply;
mod body;
mod call;
mod create;
mod decode;
mod delete;
mod get;
mod json;
mod list;
mod log;
mod options;
mod patch;
mod path;
mod query;
pub(crate) mod reply;
mod scale;
mod update;
mod watch;

use std::sync::Arc;

use http::{Method, Request, Response};
use hyper::body::Incoming;

pub use self::query::Query;
pub(crate) use self::{
    accept::{Form, Includes, negotiate},
    path::segments,
};
use self::{call::Call, path::Resource};
use crate::{discovery, mount::Body, registry::Target, server::Shared, status::Failure, tls::User};

/// Parts that Kubernetes has and Ebb has not yet.
const NOT_SUPPORTED: [(&str, &str); 9] = [
    ("pods", "attach"),
    ("pods", "binding"),
    ("pods", "ephemeralcontainers"),
    ("pods", "eviction"),
    ("pods", "exec"),
    ("pods", "portforward"),
    ("pods", "proxy"),
    ("pods", "resize"),
    ("serviceaccounts", "token"),
];

/// Answers one request; whatever goes wrong is a `metav1.Status`.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    user: Option<User>,
    request: Request<Incoming>,
) -> Response<Body> {
    match route(shared, user, request).await {
        Ok(response) => response,
        Err(failure) => reply::failure(&failure),
    }
}

async fn route(
    shared: Arc<Shared>,
    user: Option<User>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Failure> {
    let path = request.uri().path().to_owned();
    if let Some(response) = discovery::public(&shared, &request) {
        return Ok(response);
    }
    let user = user.ok_or_else(Failure::unauthorized)?;
    if !user.is_admin() {
        let verb = request.method().as_str().to_lowercase();
        return Err(Failure::forbidden(format!(
            "forbidden: User \"{}\" cannot {verb} path \"{path}\": only members of system:masters may use this API",
            user.name
        )));
    }
    if let Some(handler) = mounted(&shared, &path) {
        return Ok(handler.handle(user, request).await);
    }
    let served = shared.registry.kinds.served();
    if let Some(response) = discovery::answer(&request, &served)? {
        return Ok(response);
    }
    let resource = Resource::parse(&path, &served)?;
    let call = Call::new(shared, user, resource, request);
    match call.resource.subresource.as_deref() {
        None => object(call).await,
        Some("status") if call.resource.kind.subresources.status => part(call, Target::Status).await,
        Some("finalize") if call.resource.kind.plural == "namespaces" && call.method == Method::PUT => {
            update::run(call, Target::Finalize).await
        }
        Some("scale") if call.resource.kind.subresources.scale => scale::run(call).await,
        Some("log") if call.resource.is_pod() && call.method == Method::GET => log::run(call).await,
        Some(part) if NOT_SUPPORTED.contains(&(call.resource.kind.plural, part)) => {
            let plural = call.resource.kind.plural;
            Err(Failure::not_implemented(format!("{plural}/{part} is not supported by this version of Ebb")))
        }
        // Upstream takes it for an object that is not there.
        Some(_) if call.resource.kind.is_defined() => {
            let name = call.resource.name.clone().unwrap_or_default();
            Err(objects::Error::NotFound { kind: call.resource.kind, name }.into())
        }
        Some(_) => Err(Failure::no_such_path()),
    }
}

fn mounted(shared: &Shared, path: &str) -> Option<Arc<dyn crate::Handler>> {
    let mounts = shared.mounts.read();
    mounts.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, handler)| Arc::clone(handler))
}

/// A whole object, or many.
async fn object(call: Call) -> Result<Response<Body>, Failure> {
    match (call.method.clone(), call.resource.name.is_some()) {
        (Method::GET, _) if call.query.flag("watch") => watch::run(call),
        (Method::GET, true) => get::run(&call),
        (Method::GET, false) => list::run(&call).await,
        (Method::POST, false) => create::run(call).await,
        (Method::PUT, true) => update::run(call, Target::Object).await,
        (Method::PATCH, true) => patch::run(call, Target::Object).await,
        (Method::DELETE, true) => delete::one(call).await,
        (Method::DELETE, false) => delete::collection(call).await,
        _ => Err(Failure::method_not_allowed()),
    }
}

/// A part of an object.
async fn part(call: Call, target: Target) -> Result<Response<Body>, Failure> {
    match call.method {
        Method::GET => get::run(&call),
        Method::PUT => update::run(call, target).await,
        Method::PATCH => patch::run(call, target).await,
        _ => Err(Failure::method_not_allowed()),
    }
}
