//! Tokens of ServiceAccounts: who gets which, and whom one shows (upstream: kubernetes, `pkg/serviceaccount/claims.go`).
//!
//! A token holds as long as its ServiceAccount is there, and the Pod, Secret or Node it is bound to: each the one with
//! the uid that it had.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use objects::{Cause, Error};
use resources::{
    Object, ObjectKey,
    builtin::{Node, Pod, Secret, ServiceAccount},
    downcast,
    meta::{ObjectMeta, Time},
    reviews::{BoundObjectReference, TokenRequest, TokenRequestStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Signer, User,
    request::CREDENTIAL_ID,
    user::{AUTHENTICATED, service_account_groups, service_account_user},
};
use crate::registry::Registry;

/// Who says so in tokens, and whom those are for that name nobody.
const ISSUER: &str = "https://kubernetes.default.svc";
const KEYS_PATH: &str = "/openid/v1/jwks";

/// How long a token holds if nobody says, at least and at most, in seconds (upstream: authentication, `v1/defaults.go`,
/// `validation`).
const DEFAULT_SECONDS: i64 = 3600;
const MIN_SECONDS: i64 = 600;
const MAX_SECONDS: i64 = 1 << 32;
/// Clocks may differ by so much, and an object that goes counts so much longer.
const LEEWAY: i64 = 60;

const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";
const NODE_UID: &str = "authentication.kubernetes.io/node-uid";

/// What an invalid token is told when nothing more should be.
pub(crate) const INVALID: &str = "invalid bearer token";
const INVALIDATED: &str = "service account token has been invalidated";

/// Gives tokens out and takes them.
pub(crate) struct Tokens {
    signer: Signer,
}

/// Whom a token shows, and for whom it was meant among those asked for.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) user: User,
    pub(crate) audiences: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: Vec<String>,
    exp: i64,
    iat: i64,
    iss: String,
    jti: String,
    #[serde(rename = "kubernetes.io")]
    of: Bindings,
    nbf: i64,
    sub: String,
}

/// The objects that a token depends on.
#[derive(Serialize, Deserialize)]
struct Bindings {
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Reference>,
    serviceaccount: Reference,
}

#[derive(Clone, Serialize, Deserialize)]
struct Reference {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    uid: String,
}

impl Tokens {
    pub(crate) fn new(signer: Signer) -> Self {
        Self { signer }
    }

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
        let now = registry.chance.timestamp().as_second();
        let claims = Claims {
            aud: request.spec.audiences.clone(),
            exp: now + seconds,
            iat: now,
            iss: ISSUER.into(),
            jti: registry.chance.uid(),
            of,
            nbf: now,
            sub: service_account_user(namespace, name),
        };
        let token = self.signer.sign(&claims).ok_or_else(|| {
            Error::Internal("failed to generate token: the system gives no random numbers".into())
        })?;
        let created = registry.chance.now();
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

    /// Whom a token shows, if it is good now and for one of the audiences; without any, for this API.
    ///
    /// # Errors
    /// Why it is not taken, fit for those who may review tokens.
    pub(crate) fn check(
        &self,
        registry: &Registry,
        token: &str,
        audiences: &[String],
    ) -> Result<Accepted, String> {
        let claims = self.signer.verify(token).and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
        let claims = claims.filter(|claims| claims.iss == ISSUER).ok_or(INVALID)?;
        let now = registry.chance.timestamp().as_second();
        if now - LEEWAY > claims.exp {
            return Err("service account token has expired".into());
        }
        if now + LEEWAY < claims.nbf {
            return Err("service account token is not valid yet".into());
        }
        let here = [ISSUER.to_owned()];
        let wanted = if audiences.is_empty() { &here } else { audiences };
        let audiences: Vec<String> =
            wanted.iter().filter(|wanted| claims.aud.contains(wanted)).cloned().collect();
        if audiences.is_empty() {
            let (aud, wanted) = (quoted(&claims.aud), quoted(wanted));
            return Err(format!("token audiences {aud} is invalid for the target audiences {wanted}"));
        }
        claims.of.check(registry)?;
        Ok(Accepted { user: claims.into_user(), audiences })
    }
}

impl Claims {
    fn into_user(self) -> User {
        let Bindings { namespace, node, pod, serviceaccount, .. } = self.of;
        let mut extra = BTreeMap::from([(CREDENTIAL_ID.to_owned(), vec![format!("JTI={}", self.jti)])]);
        let mut tell = |reference: Option<Reference>, name: &str, uid: &str| {
            let Some(reference) = reference else { return };
            extra.insert(name.to_owned(), vec![reference.name]);
            if !reference.uid.is_empty() {
                extra.insert(uid.to_owned(), vec![reference.uid]);
            }
        };
        tell(pod, POD_NAME, POD_UID);
        tell(node, NODE_NAME, NODE_UID);
        let mut groups = service_account_groups(&namespace);
        groups.push(AUTHENTICATED.to_owned());
        let name = service_account_user(&namespace, &serviceaccount.name);
        User { name, uid: serviceaccount.uid, groups, extra }
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

    /// Whether all of them are still there.
    fn check(&self, registry: &Registry) -> Result<(), String> {
        let here = |name: &str| ObjectKey::new(self.namespace.as_str(), name);
        let account = &self.serviceaccount;
        let found = uid_of(registry, ServiceAccount::kind(), &here(&account.name))
            .ok_or_else(|| format!("serviceaccounts {:?} not found", account.name))?;
        if found != account.uid {
            return Err(format!("service account UID ({found}) does not match claim ({})", account.uid));
        }
        // The node of a pod may go before it.
        let node = self.node.as_ref().filter(|_| self.pod.is_none());
        let others =
            [(self.secret.as_ref(), Secret::kind()), (self.pod.as_ref(), Pod::kind()), (node, Node::kind())];
        for (reference, kind) in others {
            let Some(Reference { name, uid }) = reference else { continue };
            let key = if kind.namespaced { here(name) } else { ObjectKey::cluster(name.as_str()) };
            let found = uid_of(registry, kind, &key).ok_or(INVALIDATED)?;
            if found != *uid {
                let what = kind.kind;
                return Err(format!(
                    "{what} UID ({found}) does not match service account {} ref claim ({uid})",
                    kind.singular
                ));
            }
        }
        Ok(())
    }
}

/// The uid of an object that is there, and has not been on its way out for long.
fn uid_of(registry: &Registry, kind: &'static resources::Kind, key: &ObjectKey) -> Option<String> {
    let object = registry.get(kind, key).and_then(|stored| stored.object()).ok()?;
    let metadata = object.metadata();
    let long_ago = registry.chance.timestamp().as_second() - LEEWAY;
    let is_gone = metadata.deletion_timestamp.as_ref().is_some_and(|time| time.0.as_second() < long_ago);
    metadata.uid.clone().filter(|_| !is_gone)
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

fn quoted(list: &[String]) -> String {
    let quoted: Vec<_> = list.iter().map(|one| format!("{one:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

/// What those read who check tokens themselves (OpenID Connect Discovery); `None` for other paths.
pub(crate) fn issuer_documents(tokens: &Tokens, path: &str) -> Option<Value> {
    match path.trim_end_matches('/') {
        KEYS_PATH => Some(tokens.signer.key_set()),
        "/.well-known/openid-configuration" => Some(json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{ISSUER}{KEYS_PATH}"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
