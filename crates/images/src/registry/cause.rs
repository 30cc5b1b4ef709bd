//! What a failure means to who asked for an image.

use std::error::Error as StdError;
use std::time::Duration;

use serde::Deserialize;

use crate::RegistryCause;

/// Registries send whole pages as errors; a condition's message needs one line.
const DETAIL_CHARS_MAX: usize = 200;

/// How a registry says what is wrong (OCI distribution specification, "Error Codes").
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    code: String,
    #[serde(default)]
    message: String,
}

/// Why a request got no answer. `timeout` is the limit that an expired one had.
pub(super) fn of_request(error: &reqwest::Error, timeout: Duration) -> RegistryCause {
    if error.is_timeout() {
        RegistryCause::Timeout(timeout)
    } else if error.is_body() || error.is_decode() {
        RegistryCause::Invalid(innermost(error))
    } else {
        RegistryCause::Unreachable(innermost(error))
    }
}

/// What an answer that is an error means. `body`: its beginning.
pub(super) fn of_answer(status: u16, body: &[u8]) -> RegistryCause {
    if status == 401 {
        return unauthorized();
    }
    if let Ok(Envelope { errors }) = serde_json::from_slice(body)
        && !errors.is_empty()
    {
        return of_codes(&errors);
    }
    let detail = one_line(&format!("HTTP {status} {}", String::from_utf8_lossy(body)));
    match status {
        404 => RegistryCause::NotFound(detail),
        403 => RegistryCause::Unauthorized(detail),
        429 | 500.. => RegistryCause::Unavailable(detail),
        _ => RegistryCause::Invalid(detail),
    }
}

pub(super) fn unauthorized() -> RegistryCause {
    let why = "credentials are missing or wrong, or there is no such repository";
    RegistryCause::Unauthorized(why.to_owned())
}

fn of_codes(errors: &[Said]) -> RegistryCause {
    let detail = |said: &Said| if said.message.is_empty() { said.code.clone() } else { said.message.clone() };
    let detail = one_line(&errors.iter().map(detail).collect::<Vec<_>>().join("; "));
    match errors[0].code.as_str() {
        "MANIFEST_UNKNOWN" | "NAME_UNKNOWN" | "NOT_FOUND" | "BLOB_UNKNOWN" | "MANIFEST_BLOB_UNKNOWN" => {
            RegistryCause::NotFound(detail)
        }
        "UNAUTHORIZED" | "DENIED" => RegistryCause::Unauthorized(detail),
        "TOOMANYREQUESTS" => RegistryCause::Unavailable(detail),
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
