//! What a kubeconfig says: where the API is, and who may use it.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// How an API is reached. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) address: SocketAddr,
    /// With the client's certificate, and without a protocol.
    pub(crate) tls: Arc<ClientConfig>,
}

impl Access {
    /// That of the only user and the only cluster of a kubeconfig.
    pub(crate) fn of(kubeconfig: &str) -> Result<Self> {
        let server = entry(kubeconfig, "server")?;
        let address = server.trim_start_matches("https://");
        let address: SocketAddr =
            address.parse().with_context(|| format!("{server} is no https://ADDRESS:PORT"))?;
        Ok(Self { address, tls: Arc::new(tls(kubeconfig)?) })
    }
}

fn tls(kubeconfig: &str) -> Result<ClientConfig> {
    let pem = |name: &str| {
        BASE64_STANDARD.decode(entry(kubeconfig, name)?).with_context(|| format!("decoding {name}"))
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem("certificate-authority-data")?)?)?;
    let certificate = CertificateDer::from_pem_slice(&pem("client-certificate-data")?)?;
    let key = PrivateKeyDer::from_pem_slice(&pem("client-key-data")?)?;
    Ok(ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(vec![certificate], key)?)
}

/// The value of the only entry of this name. Ours and kubectl's have one of each.
fn entry<'a>(kubeconfig: &'a str, name: &str) -> Result<&'a str> {
    let found = kubeconfig.lines().find_map(|line| {
        let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
        (key.trim_matches('"') == name).then(|| value.trim().trim_matches(['"', ',']))
    });
    found.with_context(|| format!("the kubeconfig has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn entries() {
        let yaml = "clusters:\n- cluster:\n    server: https://127.0.0.1:6443\n  name: local\n";
        let json = "{\n  \"clusters\": [\n    \"server\": \"https://127.0.0.1:6443\",\n";
        for kubeconfig in [yaml, json] {
            assert_eq!(entry(kubeconfig, "server").ok(), Some("https://127.0.0.1:6443"), "{kubeconfig}");
        }
        assert!(entry(yaml, "client-key-data").is_err());
    }
}
