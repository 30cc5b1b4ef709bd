//! What of a request leads through a gateway and is not for applications: another gateway needs it again.

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request};

use super::route::host;
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
            && let Some(host) = host(request).and_then(|host| HeaderValue::from_str(host).ok())
        {
            came.insert(HOST, host);
        }
        (!came.is_empty()).then(|| Box::new(Self(came)))
    }

    /// Undoes what was done for the application. This gateway's hop in `X-Forwarded-For` stays: nobody else knows the
    /// client's address.
    pub(crate) fn put_back(&self, headers: &mut HeaderMap) {
        for name in self.0.keys() {
            headers.remove(name);
        }
        for (name, value) in &self.0 {
            headers.append(name, value.clone());
        }
    }
}
