//! The certificate authority: made once and kept in the data directory.
//!
//! ```text
//!   pki/ca.crt   the authority's certificate, for clients
//!   pki/ca.key   its key, 0600
//! ```
//!
//! The certificates of users are signed when somebody asks for them; the server's own is in `server.rs`.

use std::{path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::{
    kubeconfig,
    server::{self, ServerCertificate},
    write_private,
};
use crate::{Environment, Error, Result, authentication::TOKENS_KEY_FILE};

const CERTIFICATE_FILE: &str = "ca.crt";
const KEY_FILE: &str = "ca.key";
const CA_DAYS: i64 = 3650;
pub(super) const LEAF_DAYS: i64 = 365;
/// Clocks of clients may be behind by so much.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// An authority that signs the server's certificate and those of its clients.
pub(crate) struct Authority {
    ca_pem: String,
    issuer: Arc<Issuer<'static, KeyPair>>,
    server: Arc<ServerConfig>,
    environment: Environment,
    dir: std::path::PathBuf,
}

impl Authority {
    /// What is kept in its directory, by name: its own, and the key that signs tokens. Whatever else somebody has put
    /// there is theirs.
    pub(crate) fn files(&self) -> std::io::Result<Vec<(&'static str, String)>> {
        if self.dir.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for name in [CERTIFICATE_FILE, KEY_FILE, TOKENS_KEY_FILE] {
            match std::fs::read_to_string(self.dir.join(name)) {
                Ok(text) => files.push((name, text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    /// Reads the authority from `dir`, or makes a new one there.
    pub(crate) fn open(dir: &Path, names: &[String], environment: &Environment) -> Result<Self> {
        let (certificate, key) = (dir.join(CERTIFICATE_FILE), dir.join(KEY_FILE));
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| Error::File {
                action: "read",
                path: path.to_owned(),
                source,
            })
        };
        match (certificate.exists(), key.exists()) {
            (true, true) => return Self::new(dir, read(&certificate)?, &read(&key)?, names, environment),
            (false, false) => {}
            // A new authority would take the place of the one that clients trust.
            (true, false) => return Err(missing(dir, KEY_FILE, CERTIFICATE_FILE)),
            (false, true) => return Err(missing(dir, CERTIFICATE_FILE, KEY_FILE)),
        }
        std::fs::create_dir_all(dir).map_err(|source| Error::File {
            action: "create",
            path: dir.to_owned(),
            source,
        })?;
        let (ca_pem, key_pem) = new_ca(dir, environment)?;
        write_private(&key, key_pem.as_bytes())?;
        write_private(&certificate, ca_pem.as_bytes())?;
        Self::new(dir, ca_pem, &key_pem, names, environment)
    }

    /// An authority that is kept nowhere.
    pub(crate) fn ephemeral(names: &[String], environment: &Environment) -> Result<Self> {
        let dir = Path::new("");
        let (ca_pem, key_pem) = new_ca(dir, environment)?;
        Self::new(dir, ca_pem, &key_pem, names, environment)
    }

    fn new(
        dir: &Path,
        ca_pem: String,
        key_pem: &str,
        names: &[String],
        environment: &Environment,
    ) -> Result<Self> {
        let key = KeyPair::from_pem(key_pem).map_err(failed(dir, "read the authority's key"))?;
        let ca_der = CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .map_err(failed(dir, "read the authority's certificate"))?;
        // Only the name and the key count for signing, and the name is always the same.
        let issuer = Arc::new(Issuer::new(ca_params(environment.timestamp()), key));
        let certificate = ServerCertificate::new(dir, Arc::clone(&issuer), names, environment.clone())?;
        let server = Arc::new(server::config(dir, ca_der, certificate)?);
        Ok(Self { ca_pem, issuer, server, environment: environment.clone(), dir: dir.to_owned() })
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
        let mut params = leaf(self.environment.timestamp(), ExtendedKeyUsagePurpose::ClientAuth);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.distinguished_name.push(DnType::CommonName, name);
        let failed = |action| failed(&self.dir, action);
        let key = KeyPair::generate().map_err(failed("make a user's key"))?;
        let certificate =
            params.signed_by(&key, &*self.issuer).map_err(failed("sign a user's certificate"))?;
        Ok(kubeconfig::text(server, &self.ca_pem, &certificate.pem(), &key.serialize_pem()))
    }
}

fn new_ca(dir: &Path, environment: &Environment) -> Result<(String, String)> {
    let key = KeyPair::generate().map_err(failed(dir, "make the authority's key"))?;
    let certificate = ca_params(environment.timestamp())
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

/// A certificate of somebody who signs nothing.
pub(super) fn leaf(now: Timestamp, purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
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

fn missing(dir: &Path, lost: &'static str, there: &str) -> Error {
    Error::Certificate {
        action: "use the certificate authority",
        reason: format!("{} is there and {lost} is not: put {lost} back", dir.join(there).display()),
        dir: dir.to_owned(),
    }
}

pub(super) fn failed<E: std::fmt::Display>(dir: &Path, action: &'static str) -> impl FnOnce(E) -> Error {
    let dir = dir.to_owned();
    move |error| Error::Certificate { action, reason: error.to_string(), dir }
}

#[cfg(test)]
mod tests;
