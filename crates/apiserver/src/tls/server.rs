//! The server's own certificate: signed at the start, and again long before it grows old, while the server runs.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::authority::{LEAF_DAYS, failed, leaf};
use crate::{Environment, Result};

/// The names that the server has anyway.
const NAMES: [&str; 5] = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default.svc"];
/// A certificate is replaced when two thirds of its time are over.
const RENEW_AFTER: SignedDuration = SignedDuration::from_hours(24 * LEAF_DAYS * 2 / 3);

/// The server's certificate.
pub(super) struct ServerCertificate {
    dir: PathBuf,
    issuer: Arc<Issuer<'static, KeyPair>>,
    names: Vec<String>,
    environment: Environment,
    current: Mutex<Current>,
}

/// The certificate that is shown.
struct Current {
    key: Arc<CertifiedKey>,
    renew_at: Timestamp,
}

impl ServerCertificate {
    /// `names`: those that the server has beside [`NAMES`].
    pub(super) fn new(
        dir: &Path,
        issuer: Arc<Issuer<'static, KeyPair>>,
        names: &[String],
        environment: Environment,
    ) -> Result<Self> {
        let names: Vec<String> =
            NAMES.iter().map(|name| (*name).to_owned()).chain(names.iter().cloned()).collect();
        let current = Mutex::new(sign(dir, &issuer, &names, environment.timestamp())?);
        Ok(Self { dir: dir.to_owned(), issuer, names, environment, current })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let now = self.environment.timestamp();
        let mut current = self.current.lock();
        if now >= current.renew_at {
            match sign(&self.dir, &self.issuer, &self.names, now) {
                Ok(renewed) => {
                    tracing::info!("the server's certificate was renewed");
                    *current = renewed;
                }
                // The old one is good for months.
                Err(error) => tracing::warn!(%error, "the server's certificate cannot be renewed"),
            }
        }
        Arc::clone(&current.key)
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate of {}", self.names.join(", "))
    }
}

fn sign(dir: &Path, issuer: &Issuer<'static, KeyPair>, names: &[String], now: Timestamp) -> Result<Current> {
    let names = CertificateParams::new(names.to_vec()).map_err(failed(dir, "name the server"))?;
    let mut params = leaf(now, ExtendedKeyUsagePurpose::ServerAuth);
    params.distinguished_name.push(DnType::CommonName, "ebb-apiserver");
    params.subject_alt_names = names.subject_alt_names;
    let key = KeyPair::generate().map_err(failed(dir, "make the server's key"))?;
    let certificate = params.signed_by(&key, issuer).map_err(failed(dir, "sign the server's certificate"))?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(failed(dir, "use the server's key"))?;
    let key = ring::sign::any_supported_type(&key).map_err(failed(dir, "use the server's key"))?;
    let key = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
    Ok(Current { key, renew_at: now + RENEW_AFTER })
}

/// What the listener shows: the server's certificate, and a wish for the client's.
pub(super) fn config(
    dir: &Path,
    ca: CertificateDer<'static>,
    server: ServerCertificate,
) -> Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca).map_err(failed(dir, "trust the authority's certificate"))?;
    // Without a certificate a client may show a token, or ask for what anybody may: health and version.
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(failed(dir, "verify clients"))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])
        .map_err(failed(dir, "choose TLS versions"))?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(server));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use rcgen::CertificateParams;

    use super::*;

    #[test]
    fn the_certificate_is_renewed_while_the_server_runs() {
        let now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&now);
        let time = move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap();
        let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate().unwrap());
        let server =
            ServerCertificate::new(Path::new(""), Arc::new(issuer), &[], Environment::new(time, 1)).unwrap();
        let ends = |key: &CertifiedKey| {
            let (_, certificate) = x509_parser::parse_x509_certificate(&key.cert[0]).unwrap();
            certificate.validity().not_after.timestamp()
        };
        let first = server.current();
        now.store(RENEW_AFTER.as_secs() - 1, Ordering::SeqCst);
        assert!(Arc::ptr_eq(&first, &server.current()), "it is good for months");
        now.store(RENEW_AFTER.as_secs(), Ordering::SeqCst);
        let second = server.current();
        assert_eq!(ends(&second) - ends(&first), 243 * 24 * 3600);
        assert!(Arc::ptr_eq(&second, &server.current()));
    }
}
