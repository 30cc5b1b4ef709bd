//! The certificate authority: made once and kept in the data directory.
//!
//! ```text
//!   pki/ca.crt   the authority's certificate, for clients
//!   pki/ca.key   its key, 0600
//! ```
//!
//! The server's own certificate and those of users are signed anew at every start, so that they never grow old.

use std::{path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::{RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{kubeconfig, write_private};
use crate::{Error, Result, chance::Chance};

const CA_DAYS: i64 = 3650;
const LEAF_DAYS: i64 = 365;
/// Clocks of clients may be behind by so much.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// The names that the server has anyway.
const NAMES: [&str; 5] = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default.svc"];

/// An authority that signs the server's certificate and those of its clients.
pub(crate) struct Authority {
    ca_pem: String,
    issuer: Issuer<'static, KeyPair>,
    server: Arc<ServerConfig>,
    now: Timestamp,
    dir: std::path::PathBuf,
}

impl Authority {
    /// What it keeps, by name.
    pub(crate) fn files(&self) -> std::io::Result<Vec<(String, String)>> {
        if self.dir.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && entry.file_type()?.is_file()
                && !name.ends_with(".new")
            {
                files.push((name, std::fs::read_to_string(entry.path())?));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Reads the authority from `dir`, or makes a new one there.
    pub(crate) fn open(dir: &Path, names: &[String], chance: &Chance) -> Result<Self> {
        let (certificate, key) = (dir.join("ca.crt"), dir.join("ca.key"));
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| Error::File {
                action: "read",
                path: path.to_owned(),
                source,
            })
        };
        if certificate.exists() && key.exists() {
            return Self::new(dir, read(&certificate)?, &read(&key)?, names, chance);
        }
        std::fs::create_dir_all(dir).map_err(|source| Error::File {
            action: "create",
            path: dir.to_owned(),
            source,
        })?;
        let (ca_pem, key_pem) = new_ca(dir, chance)?;
        write_private(&key, key_pem.as_bytes())?;
        write_private(&certificate, ca_pem.as_bytes())?;
        Self::new(dir, ca_pem, &key_pem, names, chance)
    }

    /// An authority that is kept nowhere.
    pub(crate) fn ephemeral(names: &[String], chance: &Chance) -> Result<Self> {
        let dir = Path::new("");
        let (ca_pem, key_pem) = new_ca(dir, chance)?;
        Self::new(dir, ca_pem, &key_pem, names, chance)
    }

    fn new(dir: &Path, ca_pem: String, key_pem: &str, names: &[String], chance: &Chance) -> Result<Self> {
        let now = chance.timestamp();
        let key = KeyPair::from_pem(key_pem).map_err(failed(dir, "read the authority's key"))?;
        let ca_der = CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .map_err(failed(dir, "read the authority's certificate"))?;
        // Only the name and the key count for signing, and the name is always the same.
        let issuer = Issuer::new(ca_params(now), key);
        let (certificate, key) = sign_server(dir, &issuer, names, now)?;
        let server = server_config(dir, ca_der, certificate, key)?;
        Ok(Self { ca_pem, issuer, server: Arc::new(server), now, dir: dir.to_owned() })
    }

    /// What the listener shows: the server's certificate, and a wish for the client's.
    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A kubeconfig of the admin, whose certificate is made for it.
    pub(crate) fn kubeconfig(&self, server: &str) -> Result<String> {
        self.user_kubeconfig(server, "ebb-admin", Some("system:masters"))
    }

    /// A kubeconfig of a user, whose certificate is made for it.
    pub(crate) fn user_kubeconfig(&self, server: &str, name: &str, group: Option<&str>) -> Result<String> {
        let mut params = leaf(self.now, ExtendedKeyUsagePurpose::ClientAuth);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.distinguished_name.push(DnType::CommonName, name);
        let failed = |action| failed(&self.dir, action);
        let key = KeyPair::generate().map_err(failed("make a user's key"))?;
        let certificate =
            params.signed_by(&key, &self.issuer).map_err(failed("sign a user's certificate"))?;
        Ok(kubeconfig::text(server, &self.ca_pem, &certificate.pem(), &key.serialize_pem()))
    }
}

fn new_ca(dir: &Path, chance: &Chance) -> Result<(String, String)> {
    let key = KeyPair::generate().map_err(failed(dir, "make the authority's key"))?;
    let certificate = ca_params(chance.timestamp())
        .self_signed(&key)
        .map_err(failed(dir, "sign the authority's certificate"))?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn ca_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "ebb-ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    set_validity(&mut params, now, CA_DAYS);
    params
}

fn leaf(now: Timestamp, purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    set_validity(&mut params, now, LEAF_DAYS);
    params
}

/// From whole days, since that is how the certificate library takes dates.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let date = |time: Timestamp| {
        let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = date(now - SKEW);
    params.not_after = date(now + SignedDuration::from_hours(24 * (days + 1)));
}

fn sign_server(
    dir: &Path,
    issuer: &Issuer<'static, KeyPair>,
    names: &[String],
    now: Timestamp,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
    let all: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).chain(names.iter().cloned()).collect();
    let alternatives = CertificateParams::new(all).map_err(failed(dir, "name the server"))?.subject_alt_names;
    let mut params = leaf(now, ExtendedKeyUsagePurpose::ServerAuth);
    params.distinguished_name.push(DnType::CommonName, "ebb-apiserver");
    params.subject_alt_names = alternatives;
    let key = KeyPair::generate().map_err(failed(dir, "make the server's key"))?;
    let certificate = params.signed_by(&key, issuer).map_err(failed(dir, "sign the server's certificate"))?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(failed(dir, "use the server's key"))?;
    Ok((certificate.der().clone(), key))
}

fn server_config(
    dir: &Path,
    ca: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
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
        .with_safe_default_protocol_versions()
        .map_err(failed(dir, "choose TLS versions"))?
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)
        .map_err(failed(dir, "use the server's certificate"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn failed<E: std::fmt::Display>(dir: &Path, action: &'static str) -> impl FnOnce(E) -> Error {
    let dir = dir.to_owned();
    move |error| Error::Certificate { action, reason: error.to_string(), dir }
}
