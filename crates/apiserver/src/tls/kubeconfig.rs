//! The kubeconfig of the admin.

use base64::{Engine, prelude::BASE64_STANDARD};

/// A kubeconfig with one context, `ebb`. The certificates and the key are PEM.
pub(super) fn text(server: &str, ca: &str, certificate: &str, key: &str) -> String {
    let [ca, certificate, key] = [ca, certificate, key].map(|pem| BASE64_STANDARD.encode(pem));
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: ebb
  cluster:
    server: {server}
    certificate-authority-data: {ca}
users:
- name: ebb-admin
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: ebb
  context:
    cluster: ebb
    user: ebb-admin
current-context: ebb
"
    )
}
