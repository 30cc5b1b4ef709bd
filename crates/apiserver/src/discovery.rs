//! What the server is and has: health, version, discovery, OpenAPI.

mod aggregated;
mod digest;
mod groups;
mod not_served;
mod openapi;
mod version;

use http::{HeaderMap, Method, Request, Response, StatusCode};

use self::openapi::v2;
pub(crate) use self::{
    groups::verbs,
    not_served::{not_served, not_written},
};
use crate::{
    authentication::{User, issuer_documents},
    mount::Body,
    rest::{Form, Query, negotiate, reply, segments},
    served::{Served, Whole},
    server::Shared,
    status::Failure,
};

/// What anybody may ask, also without a certificate: health and version; and how tokens are checked.
pub(crate) fn public<B>(shared: &Shared, user: &User, request: &Request<B>) -> Option<Response<Body>> {
    let path = request.uri().path();
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return None;
    }
    if path == "/version" || path == "/version/" {
        return Some(reply::value(StatusCode::OK, &version::version()));
    }
    // Each check has a path of its own; that of the server itself is all that others ask for.
    if matches!(path, "/healthz/ping" | "/livez/ping" | "/readyz/ping") {
        return Some(reply::text(StatusCode::OK, "ok".into()));
    }
    if let Some(document) = issuer_documents(&shared.tokens, path) {
        return Some(reply::value(StatusCode::OK, &document));
    }
    let (endpoint, live_only) = match path.trim_end_matches('/') {
        "/healthz" => ("healthz", false),
        "/livez" => ("livez", true),
        "/readyz" => ("readyz", false),
        _ => return None,
    };
    let query = Query::parse(request.uri().query());
    let verbose = query.all("verbose").next().is_some();
    let excluded: Vec<&str> = query.all("exclude").collect();
    shared.check_storage();
    let (healthy, report) = shared.health.report(endpoint, live_only, &excluded, user.is_admin());
    let code = if healthy { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    Some(reply::text(code, if healthy && !verbose { "ok".into() } else { report }))
}

/// Does the work of [`answer`] that takes long, where there is such.
pub(crate) async fn prepare(served: &Served, path: &str, headers: &HeaderMap) {
    openapi::prepare(served, path, headers).await;
}

/// What there is, for clients that ask before they use it; `None` when the path is not about that.
pub(crate) fn answer<B>(request: &Request<B>, served: &Served) -> Result<Option<Response<Body>>, Failure> {
    let segments = segments(request.uri().path());
    let found = match segments.as_slice() {
        [] => Some(groups::root(served)),
        ["version" | "healthz" | "livez" | "readyz"] => return Err(Failure::method_not_allowed()),
        ["api"] => return root(request, groups::core_versions, |version| aggregated::core(served, version)),
        ["apis"] => {
            return root(request, || groups::groups(served), |version| aggregated::groups(served, version));
        }
        ["api", "v1"] => groups::resources(served, "", "v1"),
        ["apis", group] => groups::group(served, group),
        ["apis", group, version] => groups::resources(served, group, version),
        ["openapi", "v3"] => Some(openapi::index(served)),
        ["openapi", "v3", "api", version] => return openapi_v3(request, served, "", version),
        ["openapi", "v3", "apis", group, version] => return openapi_v3(request, served, group, version),
        ["openapi", "v2"] => return openapi_v2(request, served),
        ["openapi", "v3", ..] => None,
        _ => return Ok(None),
    };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Failure::method_not_allowed());
    }
    match (found, segments.as_slice()) {
        (Some(found), _) => Ok(Some(reply::value(StatusCode::OK, &found))),
        (None, ["apis", group, ..]) => Err(not_served(request.method(), group, None)),
        (None, _) => Err(Failure::no_such_path()),
    }
}

/// `/api` and `/apis` come in two forms, one of them with everything below in one document.
fn root<B>(
    request: &Request<B>,
    plain: impl Fn() -> serde_json::Value,
    aggregated: impl Fn(&str) -> serde_json::Value,
) -> Result<Option<Response<Body>>, Failure> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Failure::method_not_allowed());
    }
    let response = match negotiate(request.headers(), &Query::default())?.0 {
        Form::Discovery(version) => {
            let content_type = match version {
                "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            };
            digest::answer(request.headers(), content_type, aggregated(version).to_string())
        }
        Form::Object | Form::Table(_) | Form::Partial { .. } => reply::value(StatusCode::OK, &plain()),
    };
    Ok(Some(response))
}

/// `/openapi/v3/…`: one group version.
fn openapi_v3<B>(
    request: &Request<B>,
    served: &Served,
    group: &str,
    version: &str,
) -> Result<Option<Response<Body>>, Failure> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Failure::method_not_allowed());
    }
    match served.text(group, version, || openapi::document(served, group, version)) {
        Some(text) => {
            let query = Query::parse(request.uri().query());
            let response = digest::answer(request.headers(), digest::JSON, text);
            Ok(Some(digest::lasting(response, query.get("hash"))))
        }
        None => Err(Failure::no_such_path()),
    }
}

/// `/openapi/v2`: everything in one document.
fn openapi_v2<B>(request: &Request<B>, served: &Served) -> Result<Option<Response<Body>>, Failure> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Failure::method_not_allowed());
    }
    let response = match v2::form(request.headers()) {
        Some(v2::Form::Json) => {
            let Whole { text, digest } = openapi::whole(served);
            digest::answer_known(request.headers(), digest::JSON, text, &digest)
        }
        Some(v2::Form::Protobuf) => {
            let content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
            digest::answer(request.headers(), content_type, v2::protobuf())
        }
        None => {
            let why = "only the following media types are accepted: application/json";
            return Err(Failure::not_acceptable(why));
        }
    };
    Ok(Some(response))
}
