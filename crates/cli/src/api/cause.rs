//! Why a request failed, as short as it can be said.

use std::{error::Error as StdError, io};

use tokio::time::error::Elapsed;

use crate::{connection::CONNECT_MAX, error::Error};

/// How rustls begins when a certificate is not what was expected.
const UNTRUSTED: &str = "invalid peer certificate";

/// An error of the client in the user's words.
pub(super) fn explain(url: &str, error: kube::Error) -> Error {
    match error {
        kube::Error::Api(status) => Error::Api(status),
        kube::Error::SerdeError(error) => {
            Error::Answer { tried: format!("a request to {url}"), reason: error.to_string() }
        }
        kube::Error::InferKubeconfig(error) => {
            Error::Kubeconfig { path: "in use".into(), reason: deepest(&error) }
        }
        other => unreachable(url, &other),
    }
}

/// An error of the transport in the user's words.
pub(super) fn unreachable(url: &str, error: &(dyn StdError + 'static)) -> Error {
    let url = url.to_owned();
    // The only time that a request is given is the one to connect.
    if deepest_of(error).is::<Elapsed>() {
        return Error::Silent { url, seconds: CONNECT_MAX.as_secs() };
    }
    let reason = deepest(error);
    if reason.starts_with(UNTRUSTED) {
        Error::Untrusted { url, reason }
    } else {
        Error::Unreachable { url, reason }
    }
}

/// The deepest cause: what the system or TLS said, without the layers it passed.
pub(super) fn deepest(error: &(dyn StdError + 'static)) -> String {
    let deepest = deepest_of(error);
    match deepest.downcast_ref::<io::Error>() {
        Some(system) if system.raw_os_error().is_some() => system.kind().to_string(),
        _ => deepest.to_string(),
    }
}

fn deepest_of<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut deepest = error;
    loop {
        // An I/O error that wraps another one hides it from `source`.
        let wrapped = deepest.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let next = wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| deepest.source());
        match next {
            Some(next) => deepest = next,
            None => return deepest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_said_comes_first() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(deepest(&refused), "connection refused");
        let wrapped = io::Error::other(io::Error::other("broken"));
        assert_eq!(deepest(&wrapped), "broken");
    }

    #[test]
    fn a_stranger_is_not_an_absence() {
        let check = |said: &str, expect: &str| {
            assert_eq!(
                unreachable("https://127.0.0.1:6443", &io::Error::other(said.to_owned())).to_string(),
                expect
            );
        };
        check("connection closed", "no Ebb answers at https://127.0.0.1:6443: connection closed");
        check(
            "invalid peer certificate: UnknownIssuer",
            "the certificate of https://127.0.0.1:6443 is not signed by the CA in the kubeconfig: invalid peer certificate: \
             UnknownIssuer",
        );
    }
}
