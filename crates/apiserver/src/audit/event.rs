//! One request as an event. Pure.

use std::net::IpAddr;

use http::{StatusCode, Uri, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    authentication::User,
    authorization::{Asked, Attributes},
    rest::segments,
};

/// How much of what a client calls itself is kept (upstream: `maxUserAgentLength`).
const USER_AGENT_CHARS_MAX: usize = 1024;

/// What is known of a request before it is looked into.
pub(crate) struct Request {
    uri: Uri,
    user_agent: String,
    source: Option<IpAddr>,
    received: Timestamp,
}

/// Who asked.
#[derive(Default)]
pub(crate) struct Who {
    pub(crate) user: User,
    /// Whom it acted as.
    pub(crate) acting_as: Option<User>,
}

/// What became of a request.
pub(crate) struct Outcome {
    pub(crate) code: StatusCode,
    /// In a word, where it failed.
    pub(crate) reason: Option<String>,
}

/// What proxies call a request whose client did not wait; Kubernetes has no code for it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

impl Outcome {
    /// Of a request whose client left before its answer, or that could not be answered.
    pub(crate) fn unanswered() -> Self {
        let code = StatusCode::from_u16(CLIENT_CLOSED_REQUEST).expect("a number of three digits");
        Self { code, reason: Some("ClientClosedRequest".into()) }
    }
}

impl Request {
    pub(crate) fn of<B>(request: &http::Request<B>, source: Option<IpAddr>, received: Timestamp) -> Self {
        let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let user_agent = agent.unwrap_or_default().chars().take(USER_AGENT_CHARS_MAX).collect();
        Self { uri: request.uri().clone(), user_agent, source, received }
    }

    /// The line of the log.
    pub(crate) fn event(
        &self,
        attributes: &Attributes,
        who: &Who,
        outcome: &Outcome,
        id: &str,
        now: Timestamp,
    ) -> String {
        let uri = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let refused = matches!(outcome.code, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED);
        let stage =
            if attributes.verb == "watch" && !refused { "ResponseStarted" } else { "ResponseComplete" };
        let mut event = json!({
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": id,
            "stage": stage,
            "requestURI": uri,
            "verb": attributes.verb,
            "user": user(&who.user),
            "sourceIPs": self.source.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "responseStatus": status(outcome),
            "requestReceivedTimestamp": micros(self.received),
            "stageTimestamp": micros(now),
        });
        if let Some(acting_as) = &who.acting_as {
            event["impersonatedUser"] = user(acting_as);
        }
        if !self.user_agent.is_empty() {
            event["userAgent"] = self.user_agent.as_str().into();
        }
        if let Asked::Resource { group, resource, subresource, namespace, name } = &attributes.asked {
            let version = segments(self.uri.path());
            let version = version.get(if group.is_empty() { 1 } else { 2 }).copied().unwrap_or_default();
            let fields = [
                ("resource", resource.as_str()),
                ("namespace", namespace),
                ("name", name),
                ("apiGroup", group),
                ("apiVersion", version),
                ("subresource", subresource),
            ];
            event["objectRef"] = texts(fields);
        }
        format!("{event}\n")
    }
}

/// The fields that are not empty.
fn texts<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let there = fields.into_iter().filter(|(_, value)| !value.is_empty());
    there.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>().into()
}

fn user(user: &User) -> Value {
    let mut told = texts([("username", user.name.as_str()), ("uid", user.uid.as_str())]);
    if !user.groups.is_empty() {
        told["groups"] = json!(user.groups);
    }
    if !user.extra.is_empty() {
        told["extra"] = json!(user.extra);
    }
    told
}

fn status(outcome: &Outcome) -> Value {
    let mut status = json!({"metadata": {}, "code": outcome.code.as_u16()});
    if outcome.code.is_client_error() || outcome.code.is_server_error() {
        status["status"] = "Failure".into();
    }
    if let Some(reason) = &outcome.reason {
        status["reason"] = reason.as_str().into();
    }
    status
}

/// A time as audit events have it.
fn micros(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::Query;

    fn event(method: &str, uri: &str, code: u16, reason: Option<&str>) -> Value {
        let request = http::Request::builder().method(method).uri(uri).header("user-agent", "kubectl/v1");
        let received = Timestamp::from_microsecond(1_600_000_000_123_456).unwrap();
        let request = request.body(()).unwrap();
        let (path, query) = (request.uri().path(), Query::parse(request.uri().query()));
        let attributes = Attributes::of(request.method(), path, &query);
        let request = Request::of(&request, Some([127, 0, 0, 1].into()), received);
        let user = User { name: "joe".into(), groups: vec!["devs".into()], ..User::default() };
        let acting_as = (uri.contains("secrets")).then(|| User { name: "amy".into(), ..User::default() });
        let outcome =
            Outcome { code: StatusCode::from_u16(code).unwrap(), reason: reason.map(str::to_owned) };
        let line = request.event(&attributes, &Who { user, acting_as }, &outcome, "id", received);
        assert!(line.ends_with('\n'));
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_request_is_told_as_an_event() {
        let patch = event("PATCH", "/api/v1/namespaces/n/secrets/s?dryRun=All", 409, Some("Conflict"));
        assert_eq!(
            patch,
            json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "id",
                "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/n/secrets/s?dryRun=All", "verb": "patch",
                "user": {"username": "joe", "groups": ["devs"]}, "impersonatedUser": {"username": "amy"},
                "sourceIPs": ["127.0.0.1"], "userAgent": "kubectl/v1",
                "objectRef": {"resource": "secrets", "namespace": "n", "name": "s", "apiVersion": "v1"},
                "responseStatus": {"metadata": {}, "code": 409, "status": "Failure", "reason": "Conflict"},
                "requestReceivedTimestamp": "2020-09-13T12:26:40.123456Z", "stageTimestamp": "2020-09-13T12:26:40.123456Z",
            })
        );
        let watch = event("GET", "/apis/apps/v1/deployments?watch=1", 200, None);
        assert_eq!((&watch["stage"], &watch["verb"]), (&json!("ResponseStarted"), &json!("watch")));
        assert_eq!(
            watch["objectRef"],
            json!({"resource": "deployments", "apiGroup": "apps", "apiVersion": "v1"})
        );
        assert_eq!(event("GET", "/version", 200, None).get("objectRef"), None);
    }
}
