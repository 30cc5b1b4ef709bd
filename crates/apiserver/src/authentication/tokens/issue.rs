//! Giving tokens out (upstream: kubernetes, `pkg/registry/core/serviceaccount/storage/token.go`).

use jiff::SignedDuration;
use objects::{Cause, Error};
use resources::{
    Object, ObjectKey,
    builtin::{Node, Pod, Secret, ServiceAccount},
    downcast,
    meta::{ObjectMeta, Time},
    reviews::{BoundObjectReference, TokenRequest, TokenRequestStatus},
};
use serde_json::{Value, json};

use super::{Bindings, Claims, ISSUER, Reference, Tokens, uid_of};
use crate::{authentication::user::service_account_user, registry::Registry};

/// How long a token holds if nobody says, at least and at most, in seconds (upstream: authentication, `v1/defaults.go`,
/// `validation`).
const DEFAULT_SECONDS: i64 = 3600;
const MIN_SECONDS: i64 = 600;
const MAX_SECONDS: i64 = 1 << 32;

impl Tokens {
    /// Answers a request for a token of a ServiceAccount.
    pub(crate) fn issue(
        &self,
        registry: &Registry,
        account: &ObjectKey,
        mut request: TokenRequest,
    ) -> Result<TokenRequest, Error> {
        check_key(&request.metadata, account)?;
        let ObjectKey { namespace, name } = account;
        let metadata = registry.get(ServiceAccount::kind(), account)?.object()?.metadata().clone();
        let uid = metadata.uid.clone().unwrap_or_default();
        match request.metadata.uid.as_deref().filter(|wanted| !wanted.is_empty()) {
            Some(wanted) if wanted != uid => {
                let message = format!(
                    "the UID in the token request ({wanted}) does not match the UID of the service account ({uid})"
                );
                return Err(Error::Conflict { kind: TokenRequest::kind(), name: name.clone(), message });
            }
            _ => {}
        }
        if request.spec.audiences.is_empty() {
            request.spec.audiences = vec![ISSUER.to_owned()];
        }
        let seconds = *request.spec.expiration_seconds.get_or_insert(DEFAULT_SECONDS);
        check_seconds(seconds)?;
        let mut of = Bindings {
            namespace: namespace.clone(),
            node: None,
            pod: None,
            secret: None,
            serviceaccount: Reference { name: name.clone(), uid: uid.clone() },
        };
        if let Some(bound) = &request.spec.bound_object_ref {
            of.bind(registry, bound)?;
        }
        let now = registry.environment.timestamp().as_second();
        let claims = Claims {
            aud: request.spec.audiences.clone(),
            exp: now + seconds,
            iat: now,
            iss: ISSUER.into(),
            jti: registry.environment.uid(),
            of,
            nbf: now,
            sub: service_account_user(namespace, name),
        };
        let token = self.signer.sign(&claims).ok_or_else(|| {
            Error::Internal("failed to generate token: the system gives no random numbers".into())
        })?;
        let created = registry.environment.now();
        let expires = created.0.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(created.0);
        request.metadata = ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(namespace.clone()),
            uid: Some(uid),
            creation_timestamp: Some(created),
            ..ObjectMeta::default()
        };
        request.status = Some(TokenRequestStatus { expiration_timestamp: Time(expires), token });
        Ok(request)
    }
}

impl Bindings {
    /// Makes the token depend on an object.
    fn bind(&mut self, registry: &Registry, bound: &BoundObjectReference) -> Result<(), Error> {
        let [api_version, kind, name, wanted] = [&bound.api_version, &bound.kind, &bound.name, &bound.uid]
            .map(|text| text.as_deref().unwrap_or_default());
        let (kind, namespace) = match (api_version, kind) {
            ("v1", "Pod") => (Pod::kind(), self.namespace.as_str()),
            ("v1", "Secret") => (Secret::kind(), self.namespace.as_str()),
            ("v1", "Node") => (Node::kind(), ""),
            _ => {
                let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
                return Err(Error::BadRequest(format!(
                    "cannot bind token to object of type {group}/{version}, Kind={kind}"
                )));
            }
        };
        let object = registry.get(kind, &ObjectKey::new(namespace, name))?.object()?;
        let uid = object.metadata().uid.clone().unwrap_or_default();
        let reference = Some(Reference { name: name.to_owned(), uid: uid.clone() });
        if let Some(pod) = downcast::<Pod>(object) {
            self.check_runs_as(&pod)?;
            self.pod = reference;
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            self.node = node.filter(|node| !node.is_empty()).map(|node| Reference {
                uid: uid_of(registry, Node::kind(), &ObjectKey::cluster(node)).unwrap_or_default(),
                name: node.to_owned(),
            });
        } else if kind == Secret::kind() {
            self.secret = reference;
        } else {
            self.node = reference;
        }
        if wanted.is_empty() || wanted == uid {
            return Ok(());
        }
        let message = format!(
            "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        Err(Error::Precondition { kind, name: name.to_owned(), message })
    }

    fn check_runs_as(&self, pod: &Pod) -> Result<(), Error> {
        let account = &self.serviceaccount.name;
        let runs_as = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
        if runs_as == Some(account) {
            return Ok(());
        }
        Err(Error::BadRequest(format!(
            "cannot bind token for serviceaccount {account:?} to pod running with different serviceaccount name."
        )))
    }
}

/// A request need not say whose token it asks for, and says nothing else.
fn check_key(metadata: &ObjectMeta, account: &ObjectKey) -> Result<(), Error> {
    let parts = [
        ("name", metadata.name.as_deref(), &account.name),
        ("namespace", metadata.namespace.as_deref(), &account.namespace),
    ];
    let wrong = |(_, given, wanted): &(_, Option<&str>, &String)| {
        given.is_some_and(|given| !given.is_empty() && given != wanted.as_str())
    };
    match parts.into_iter().find(wrong) {
        None => Ok(()),
        Some((field, given, _)) => {
            let why = format!("must match the service account {field} if specified");
            Err(invalid(&account.name, &format!("metadata.{field}"), &json!(given), &why))
        }
    }
}

fn check_seconds(seconds: i64) -> Result<(), Error> {
    let why = match seconds {
        ..MIN_SECONDS => "may not specify a duration less than 10 minutes",
        MIN_SECONDS..=MAX_SECONDS => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    Err(invalid("", "spec.expirationSeconds", &json!(seconds), why))
}

fn invalid(name: &str, field: &str, value: &Value, why: &str) -> Error {
    let message = format!("Invalid value: {value}: {why}");
    let cause = Cause { field: field.into(), reason: "FieldValueInvalid".into(), message };
    Error::Invalid { kind: TokenRequest::kind(), name: name.to_owned(), causes: vec![cause] }
}
