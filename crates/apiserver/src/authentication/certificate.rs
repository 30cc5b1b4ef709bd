//! Users by their certificates.

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{User, request::CREDENTIAL_ID, user::AUTHENTICATED};
use crate::hex::hex;

impl User {
    /// The user that a verified client certificate names: its common name, its organizations.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let subject = parsed.subject();
        let name = subject.iter_common_name().find_map(|name| name.as_str().ok())?.to_owned();
        let groups = subject.iter_organization().filter_map(|group| group.as_str().ok()).map(str::to_owned);
        let mut groups: Vec<String> = groups.collect();
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.into());
        }
        let digest = hex(&Sha256::digest(certificate.as_ref()));
        let extra = [(CREDENTIAL_ID.to_owned(), vec![format!("X509SHA256={digest}")])].into();
        Some(Self { name, uid: String::new(), groups, extra })
    }
}
