//! The node's tokens from the API server that signs them.

use apiserver::ApiServer;
use node::Tokens;
use resources::{
    Object, ObjectKey,
    builtin::Pod,
    reviews::{BoundObjectReference, TokenRequest, TokenRequestSpec},
};

/// Tokens that hold as long as their pod is there.
pub(in crate::up) struct PodTokens(pub(in crate::up) ApiServer);

impl Tokens for PodTokens {
    fn issue(&self, pod: &Pod, audience: Option<&str>, seconds: i64) -> objects::Result<String> {
        let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.clone());
        let account = ObjectKey::new(pod.namespace(), account.unwrap_or_default());
        let bound = BoundObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(pod.name().to_owned()),
            uid: Some(pod.uid().to_owned()),
        };
        let spec = TokenRequestSpec {
            audiences: audience.map(str::to_owned).into_iter().collect(),
            bound_object_ref: Some(bound),
            expiration_seconds: Some(seconds),
        };
        let issued = self.0.token(&account, TokenRequest { spec, ..TokenRequest::default() })?;
        Ok(issued.status.map(|status| status.token).unwrap_or_default())
    }
}
