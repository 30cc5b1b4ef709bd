//! The credentials that `imagePullSecrets` name.

use images::Keyring;
use objects::Client;
use resources::{ObjectKey, builtin::Secret};

/// The keys of Secrets of type `kubernetes.io/dockerconfigjson`, and of the older `kubernetes.io/dockercfg`.
const KEYS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];

/// The credentials of these Secrets of a namespace together. One that is missing or malformed is left out with a
/// warning, as the kubelet does: the image may be public.
pub async fn image_pull_keyring(client: &Client, namespace: &str, secrets: &[&str]) -> Keyring {
    let mut keyring = Keyring::default();
    for name in secrets {
        let key = ObjectKey::new(namespace, *name);
        let secret = match client.find::<Secret>(&key).await {
            Ok(secret) => secret,
            Err(error) => {
                tracing::warn!(secret = %key, %error, "could not read an image pull secret");
                continue;
            }
        };
        let data = secret.as_ref().and_then(|secret| secret.data.as_ref());
        match data.and_then(|data| KEYS.iter().find_map(|key| data.get(*key))) {
            Some(config) => {
                if let Err(error) = keyring.add_docker_config(&config.0) {
                    tracing::warn!(secret = %key, %error, "an image pull secret cannot be used");
                }
            }
            None => {
                tracing::warn!(secret = %key, "an image pull secret is missing, or has no .dockerconfigjson")
            }
        }
    }
    keyring
}
