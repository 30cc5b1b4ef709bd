//! The REST face of the API: from an HTTP request to the registry and back.
//!
//! ```text
//!   request ─► who? (401) ─► may it? (403) ─► a place (429) ─► path ─► health, version, discovery, a mount
//!                                  │
//!                                  └─► resource ─► verb: get list watch create update patch delete
//!                                                    │        │                     │
//!                                                 accept   selectors          body, decode, patch
//!   response ◄─ encoding: YAML, gzip
//! ```

mod accept;
mod apply;
mod binding;
mod body;
mod call;
mod container;
mod create;
mod decode;
mod delete;
mod encoding;
mod eviction;
mod exec;
mod get;
mod in_flight;
mod json;
mod list;
mod log;
mod options;
mod partial;
mod patch;
mod path;
mod protobuf;
mod query;
pub(crate) mod reply;
mod review;
mod scale;
mod token;
mod update;
mod watch;

use std::{net::IpAddr, sync::Arc};

use http::{Method, Request, Response, StatusCode};
use resources::{Object, builtin::ServiceAccount, kinds};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::json::{Bounds, read as read_json};
pub use self::query::Query;
pub(crate) use self::{
    accept::{Form, Includes, TableForm, negotiate},
    in_flight::{InFlight, Place},
    json::{nested, nodes, too_deep},
    path::segments,
    query::decode,
};
use self::{call::Call, encoding::Encoding, path::Resource};
use crate::{
    RequestBody, audit,
    authentication::{User, authenticate, impersonate},
    authorization::Attributes,
    backup, discovery,
    mount::Body,
    registry::Target,
    server::Shared,
    status::Failure,
};

/// Parts that Kubernetes has and Ebb has not yet.
const NOT_SUPPORTED: [(&str, &str); 5] = [
    ("pods", "attach"),
    ("pods", "ephemeralcontainers"),
    ("pods", "portforward"),
    ("pods", "proxy"),
    ("pods", "resize"),
];

/// Kinds, by group and plural, that upstream warns of whenever they are used.
const DEPRECATED: [(&str, &str, &str); 1] =
    [("", "endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")];

/// Answers one request; whatever goes wrong is a `metav1.Status`. With it comes the request's place, which is taken as long
/// as the answer is in memory.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    certified: Option<User>,
    source: Option<IpAddr>,
    request: Request<RequestBody>,
) -> (Response<Body>, Option<Place>) {
    let encoding = Encoding::of(&request);
    let mut audited = Audited::of(&shared, &request, source);
    let mut place = None;
    let (attributes, who) = (&audited.attributes, &mut audited.who);
    let response = route(Arc::clone(&shared), certified, request, attributes, who, &mut place).await;
    audited.outcome = match &response {
        Ok(response) => audit::Outcome { code: response.status(), reason: None },
        Err(failure) => failure.outcome(),
    };
    drop(audited);
    let response = response.unwrap_or_else(|failure| reply::failure(&failure));
    (encoding.apply(response).await, place)
}

/// A request that is noted in the audit log when it has been answered, or is given up: a client that leaves before its
/// answer may have had its way.
struct Audited {
    shared: Arc<Shared>,
    attributes: Attributes,
    /// Absent where there is no log.
    asked: Option<audit::Request>,
    who: audit::Who,
    outcome: audit::Outcome,
}

impl Audited {
    fn of(shared: &Arc<Shared>, request: &Request<RequestBody>, source: Option<IpAddr>) -> Self {
        let now = || shared.registry.environment.timestamp();
        let asked = shared.audit.as_ref().map(|_| audit::Request::of(request, source, now()));
        let uri = request.uri();
        Self {
            shared: Arc::clone(shared),
            attributes: Attributes::of(request.method(), uri.path(), &Query::parse(uri.query())),
            asked,
            who: audit::Who::default(),
            outcome: audit::Outcome::unanswered(),
        }
    }
}

impl Drop for Audited {
    fn drop(&mut self) {
        let Some((log, asked)) = self.shared.audit.as_ref().zip(self.asked.as_ref()) else { return };
        let environment = &self.shared.registry.environment;
        let (id, now) = (environment.uid(), environment.timestamp());
        log.record(asked.event(&self.attributes, &self.who, &self.outcome, &id, now));
    }
}

async fn route(
    shared: Arc<Shared>,
    certified: Option<User>,
    request: Request<RequestBody>,
    attributes: &Attributes,
    who: &mut audit::Who,
    place: &mut Option<Place>,
) -> Result<Response<Body>, Failure> {
    let path = request.uri().path().to_owned();
    let user = authenticate(&shared.registry, &shared.tokens, certified.as_ref(), request.headers())?;
    who.user.clone_from(&user);
    let user = impersonate(&shared.policies, user, request.headers()).await?;
    who.acting_as = (user != who.user).then(|| user.clone());
    check_rights(&shared, &user, attributes).await?;
    if path == backup::PATH && request.method() == Method::GET {
        // It has all that anybody keeps here, so that no rule over paths may give it.
        if !user.is_admin() {
            let why = "backups are for members of system:masters alone";
            return Err(Failure::not_authorized(&user.name, attributes, why));
        }
        let with_key = Query::parse(request.uri().query()).flag("withKey");
        return Ok(backup::take(&shared, with_key));
    }
    if let Some(handler) = mounted(&shared, &path) {
        return Ok(handler.handle(user, request).await);
    }
    if let Some(response) = discovery::public(&shared, &user, &request) {
        return Ok(response);
    }
    *place = shared.in_flight.begin(&user, request.method(), attributes)?;
    let served = shared.registry.kinds.served();
    discovery::prepare(&served, &path, request.headers()).await;
    if let Some(response) = discovery::answer(&request, &served)? {
        return Ok(response);
    }
    if let Some(review) = review::of(&path) {
        return review::run(Call::new(shared, user, review, request)).await;
    }
    let resource = Resource::parse(request.method(), &path, &served)?;
    let kind = resource.kind;
    let response = of_resource(Call::new(shared, user, resource, request)).await;
    Ok(match DEPRECATED.iter().find(|(group, plural, _)| (*group, *plural) == (kind.group, kind.plural)) {
        // Who is told that there is no such form of an answer is told nothing else.
        Some((.., warning))
            if response.as_ref().err().is_none_or(|failure| failure.code != StatusCode::NOT_ACCEPTABLE) =>
        {
            let response = response.unwrap_or_else(|failure| reply::failure(&failure));
            reply::warn(response, &[(*warning).to_owned()])
        }
        _ => response?,
    })
}

async fn of_resource(call: Call) -> Result<Response<Body>, Failure> {
    match call.resource.subresource.as_deref() {
        None => object(call).await,
        Some("status") if call.resource.kind.subresources.status => part(call, Target::Status).await,
        Some("finalize") if call.resource.kind.plural == "namespaces" && call.method == Method::PUT => {
            update::run(call, Target::Finalize).await
        }
        Some("scale") if call.resource.kind.subresources.scale => scale::run(call).await,
        Some("token") if call.resource.kind == ServiceAccount::kind() => token::run(call).await,
        Some("binding") if call.resource.is_pod() => binding::run(call).await,
        Some("eviction") if call.resource.is_pod() => eviction::run(call).await,
        Some("log") if call.resource.is_pod() => match call.method {
            Method::GET => log::run(call).await,
            _ => Err(Failure::method_not_allowed()),
        },
        Some("exec") if call.resource.is_pod() => match call.method {
            Method::GET | Method::POST => exec::run(call).await,
            _ => Err(Failure::method_not_allowed()),
        },
        Some(part) if NOT_SUPPORTED.contains(&(call.resource.kind.plural, part)) => {
            let plural = call.resource.kind.plural;
            Err(Failure::not_implemented(format!("{plural}/{part} is not supported by this version of Ebb")))
        }
        // Upstream takes it for an object that is not there.
        Some(_) if call.resource.kind.is_defined() => {
            let name = call.resource.name.clone().unwrap_or_default();
            Err(objects::Error::NotFound { kind: call.resource.kind, name }.into())
        }
        Some(part) => Err(discovery::not_served(&call.method, call.resource.kind.group, Some(part))),
    }
}

/// Before anything is known about what is asked for.
async fn check_rights(shared: &Shared, user: &User, attributes: &Attributes) -> Result<(), Failure> {
    if user.is_admin() {
        return Ok(());
    }
    let decision = shared.policies.authorize(user, attributes).await?;
    if decision.allowed {
        return Ok(());
    }
    Err(Failure::not_authorized(&user.name, attributes, &decision.reason))
}

fn mounted(shared: &Shared, path: &str) -> Option<Arc<dyn crate::Handler>> {
    let mounts = shared.mounts.read();
    mounts.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, handler)| Arc::clone(handler))
}

/// A whole object, or many.
async fn object(call: Call) -> Result<Response<Body>, Failure> {
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(&call.method);
    if writes && kinds::empty().contains(&call.resource.kind) {
        return Err(discovery::not_written(call.resource.kind));
    }
    match (call.method.clone(), call.resource.name.is_some()) {
        (Method::GET, _) if call.resource.watched => watch::run(call),
        _ if call.resource.watched => Err(Failure::method_not_allowed()),
        (Method::GET, false) if call.query.flag("watch") => watch::run(call),
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
