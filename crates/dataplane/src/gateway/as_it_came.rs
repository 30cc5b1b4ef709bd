//! What of a request leads through a gateway and is not for applications: another gateway needs it again.

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request};

use super::table::Target;
use crate::headers::{INTERNAL, INTERNAL_INITIAL};

/// The headers that a request came with and its application does not see.
pub(crate) struct AsItCame(HeaderMap);

impl AsItCame {
    /// `None` where there are none, as with most requests.
    pub(super) fn of<B>(request: &Request<B>, target: &Target) -> Option<Box<Self>> {
        let (headers, mut came) = (request.headers(), HeaderMap::new());
        // Few requests have any of them, and a look at each name costs less than eight searches.
        if headers.keys().any(|name| name.as_str().starts_with(INTERNAL_INITIAL)) {
            for name in &INTERNAL {
                for value in headers.get_all(name) {
                    came.append(name, value.clone());
                }
            }
        }
        if target.host.is_some()
            && let Some(host) = host(request)
        {
            came.insert(HOST, host);
        }
        (!came.is_empty()).then(|| Box::new(Self(came)))
    }

    /// Undoes what was done for the application.
    pub(crate) fn put_back(&self, headers: &mut HeaderMap) {
        for name in self.0.keys() {
            headers.remove(name);
        }
        for (name, value) in &self.0 {
            headers.append(name, value.clone());
        }
    }
}

/// As [`Route`](super::Route) takes it: HTTP/2 and absolute requests have it in the URI.
fn host<B>(request: &Request<B>) -> Option<HeaderValue> {
    match request.uri().authority() {
        Some(authority) => HeaderValue::try_from(authority.as_str()).ok(),
        None => request.headers().get(HOST).cloned(),
    }
}
