//! Who sends a request.

use http::{HeaderMap, header};

use super::{Tokens, User};
use crate::{registry::Registry, status::Failure};

/// By which of its credentials a user has shown who it is.
pub(super) const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// The user of the connection's certificate, or else of the request's token; without either, nobody.
pub(crate) fn authenticate(
    registry: &Registry,
    tokens: &Tokens,
    certified: Option<&User>,
    headers: &HeaderMap,
) -> Result<User, Failure> {
    if let Some(user) = certified {
        return Ok(user.clone());
    }
    let Some(token) = bearer(headers) else { return Ok(User::anonymous()) };
    match tokens.check(registry, token, &[]) {
        Ok(accepted) => Ok(accepted.user),
        Err(why) => {
            tracing::debug!(why, "a token is not accepted");
            Err(Failure::unauthorized())
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = header.split_once(' ')?;
    let token = token.split(' ').next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
