//! Tokens of ServiceAccounts (upstream: kubernetes, `pkg/serviceaccount/claims.go`).
//!
//! A token is valid while its ServiceAccount exists, and the Pod, Secret or Node it is bound to, each with the same uid.

mod issue;

use std::collections::BTreeMap;

use resources::{
    Object, ObjectKey,
    builtin::{Node, Pod, Secret, ServiceAccount},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Signer, User,
    request::CREDENTIAL_ID,
    user::{AUTHENTICATED, service_account_groups, service_account_user},
};
use crate::registry::Registry;

/// The issuer (`iss`) of our tokens, and the default audience.
const ISSUER: &str = "https://kubernetes.default.svc";
const KEYS_PATH: &str = "/openid/v1/jwks";

/// How much clocks may differ, and how long a deleted object still counts, in seconds.
const LEEWAY: i64 = 60;

const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";
const NODE_UID: &str = "authentication.kubernetes.io/node-uid";

/// The error for an invalid token; it tells nothing more.
pub(crate) const INVALID: &str = "invalid bearer token";
const INVALIDATED: &str = "service account token has been invalidated";

/// Issues and verifies tokens.
pub(crate) struct Tokens {
    signer: Signer,
}

/// The user of a token, and those of the requested audiences that it is for.
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

    /// Verifies a token for one of the audiences; without any, for this API.
    ///
    /// # Errors
    /// Why it is invalid, in words for those who may review tokens.
    pub(crate) fn check(
        &self,
        registry: &Registry,
        token: &str,
        audiences: &[String],
    ) -> Result<Accepted, String> {
        let claims = self.signer.verify(token).and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
        let claims = claims.filter(|claims| claims.iss == ISSUER).ok_or(INVALID)?;
        let now = registry.environment.timestamp().as_second();
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
    /// Checks that all of them still exist.
    fn check(&self, registry: &Registry) -> Result<(), String> {
        let here = |name: &str| ObjectKey::new(self.namespace.as_str(), name);
        let account = &self.serviceaccount;
        let found = uid_of(registry, ServiceAccount::kind(), &here(&account.name))
            .ok_or_else(|| format!("serviceaccounts {:?} not found", account.name))?;
        if found != account.uid {
            return Err(format!("service account UID ({found}) does not match claim ({})", account.uid));
        }
        // A pod's node may be removed before the pod.
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

/// The uid of an object that exists and was not marked for deletion more than [`LEEWAY`] ago.
fn uid_of(registry: &Registry, kind: &'static resources::Kind, key: &ObjectKey) -> Option<String> {
    let object = registry.get(kind, key).and_then(|stored| stored.object()).ok()?;
    let metadata = object.metadata();
    let long_ago = registry.environment.timestamp().as_second() - LEEWAY;
    let is_gone = metadata.deletion_timestamp.as_ref().is_some_and(|time| time.0.as_second() < long_ago);
    metadata.uid.clone().filter(|_| !is_gone)
}

fn quoted(list: &[String]) -> String {
    let quoted: Vec<_> = list.iter().map(|one| format!("{one:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

/// OpenID Connect Discovery, for those who verify tokens themselves; `None` for other paths.
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
