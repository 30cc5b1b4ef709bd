//! What a failure means to who asked for an image.

use std::error::Error as StdError;
use std::time::Duration;

use oci_client::errors::{OciDistributionError as E, OciEnvelope, OciErrorCode as Code};

use crate::RegistryCause;

/// Registries send whole pages as errors; a condition's message needs one line.
const DETAIL_CHARS_MAX: usize = 200;

/// `timeout` is the limit that an expired one had.
pub(super) fn cause(error: &E, timeout: Duration) -> RegistryCause {
    match error {
        E::RegistryError { envelope, .. } => by_codes(envelope),
        E::ServerError { code, message, .. } => {
            let detail = one_line(&format!("HTTP {code} {message}"));
            match code {
                404 => RegistryCause::NotFound(detail),
                401 | 403 => RegistryCause::Unauthorized(detail),
                429 | 500.. => RegistryCause::Unavailable(detail),
                _ => RegistryCause::Invalid(detail),
            }
        }
        E::UnauthorizedError { .. } => RegistryCause::Unauthorized(
            "credentials are missing or wrong, or there is no such repository".to_owned(),
        ),
        E::AuthenticationFailure(detail) => RegistryCause::Unauthorized(one_line(detail)),
        E::ImageManifestNotFoundError(detail) => RegistryCause::NotFound(one_line(detail)),
        E::RequestError(e) if e.is_timeout() => RegistryCause::Timeout(timeout),
        E::RequestError(e) if e.is_decode() => RegistryCause::Invalid(innermost(e)),
        E::RequestError(e) => RegistryCause::Unreachable(innermost(e)),
        other => RegistryCause::Invalid(one_line(&other.to_string())),
    }
}

fn by_codes(envelope: &OciEnvelope) -> RegistryCause {
    let detail = |e: &oci_client::errors::OciError| match e.message.as_str() {
        "" => format!("{:?}", e.code),
        message => message.to_owned(),
    };
    let detail = one_line(&envelope.errors.iter().map(detail).collect::<Vec<_>>().join("; "));
    match envelope.errors.first().map(|e| &e.code) {
        Some(
            Code::ManifestUnknown
            | Code::NameUnknown
            | Code::NotFound
            | Code::BlobUnknown
            | Code::ManifestBlobUnknown,
        ) => RegistryCause::NotFound(detail),
        Some(Code::Unauthorized | Code::Denied) => RegistryCause::Unauthorized(detail),
        Some(Code::Toomanyrequests) => RegistryCause::Unavailable(detail),
        _ => RegistryCause::Invalid(detail),
    }
}

/// The last error of the chain is the one the system gave: "Connection refused", "Name or service …".
fn innermost(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    one_line(&error.to_string())
}

fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(DETAIL_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}
