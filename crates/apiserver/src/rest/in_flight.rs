//! How many requests are answered at once: what each takes in memory is bounded, so their number has to be (upstream:
//! apiserver, `filters/maxinflight.go`).

use std::sync::Arc;

use http::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    authorization::{Asked, Attributes},
    limits::Limits,
    status::Failure,
};

/// In kube-apiserver's words.
const ALL_TAKEN: &str = "Too many requests, please try again later.";

/// The places of requests that are being answered. Watches and logs, which last, have none: for them there is the limit of
/// connections.
pub(crate) struct InFlight {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

impl InFlight {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            reads: Arc::new(Semaphore::new(limits.reads_in_flight_max)),
            writes: Arc::new(Semaphore::new(limits.writes_in_flight_max)),
        }
    }

    /// A place for a request, until its client has taken the answer; `None` for one that needs none.
    ///
    /// # Errors
    /// When all places are taken. It is not waited for one: clients know what 429 means.
    pub(crate) fn begin(
        &self,
        method: &Method,
        attributes: &Attributes,
    ) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        if *method == Method::GET && lasts(attributes) {
            return Ok(None);
        }
        let reads = [Method::GET, Method::HEAD].contains(method);
        let places = if reads { &self.reads } else { &self.writes };
        Arc::clone(places).try_acquire_owned().map(Some).map_err(|_| Failure::too_many_requests(ALL_TAKEN))
    }
}

fn lasts(Attributes { verb, asked }: &Attributes) -> bool {
    match asked {
        Asked::Resource { resource, subresource, .. } => {
            verb == "watch" && subresource.is_empty()
                || (resource.as_str(), subresource.as_str()) == ("pods", "log")
        }
        Asked::Path(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::Query;

    #[test]
    fn reads_and_writes_have_places_of_their_own() {
        let limits = Limits { reads_in_flight_max: 2, writes_in_flight_max: 1, ..Limits::default() };
        let in_flight = InFlight::new(&limits);
        let begin = |method: &str, uri: &str| {
            let (method, uri) = (method.parse::<Method>().unwrap(), uri.parse::<http::Uri>().unwrap());
            in_flight.begin(&method, &Attributes::of(&method, uri.path(), &Query::parse(uri.query())))
        };
        let pods = "/api/v1/namespaces/default/pods";
        let first = begin("GET", pods).unwrap();
        let _second = begin("GET", pods).unwrap();
        assert_eq!(begin("GET", pods).unwrap_err().code, 429);
        let _write = begin("POST", pods).unwrap();
        assert_eq!(begin("DELETE", pods).unwrap_err().code, 429);
        let lasting = [
            format!("{pods}?watch=true"),
            format!("{pods}/p/log?follow=true"),
            "/api/v1/watch/pods".to_owned(),
        ];
        for lasting in lasting {
            assert!(begin("GET", &lasting).unwrap().is_none(), "{lasting}");
        }
        for not in [format!("{pods}/p?watch=true"), "/openapi/v2?watch=true".to_owned()] {
            assert_eq!(begin("GET", &not).unwrap_err().code, 429, "{not}");
        }
        drop(first);
        assert!(begin("GET", pods).unwrap().is_some());
    }
}
