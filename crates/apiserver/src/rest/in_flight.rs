//! How many requests are answered at once: what each takes in memory is bounded, so their number has to be (upstream:
//! apiserver, `filters/maxinflight.go`).

use std::{collections::HashMap, sync::Arc};

use http::Method;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    authentication::User,
    authorization::{Asked, Attributes},
    limits::Limits,
    status::Failure,
};

/// In kube-apiserver's words.
const ALL_TAKEN: &str = "Too many requests, please try again later.";
/// Of so many places a user may have one, so that one who does not read answers leaves some to others. The admin, whom
/// others call for help, may have all.
const ONE_OF: usize = 2;

/// The places of requests that are being answered. Watches and logs, which last, have none: for them there is the limit of
/// connections.
pub(crate) struct InFlight {
    reads: Arc<Places>,
    writes: Arc<Places>,
}

struct Places {
    free: Arc<Semaphore>,
    max_of_user: usize,
    /// How many a user has, by name; of those who have some.
    of_users: Mutex<HashMap<String, usize>>,
}

/// A place, until it is dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    /// Whose share it counts to.
    share: Option<(Arc<Places>, String)>,
}

impl InFlight {
    pub(crate) fn new(limits: &Limits) -> Self {
        let places = |max: usize| {
            Arc::new(Places {
                free: Arc::new(Semaphore::new(max)),
                max_of_user: max.div_ceil(ONE_OF),
                of_users: Mutex::default(),
            })
        };
        Self { reads: places(limits.reads_in_flight_max), writes: places(limits.writes_in_flight_max) }
    }

    /// A place for a request, until its client has taken the answer; `None` for one that needs none.
    ///
    /// # Errors
    /// When all places are taken. It is not waited for one: clients know what 429 means.
    pub(crate) fn begin(
        &self,
        user: &User,
        method: &Method,
        attributes: &Attributes,
    ) -> Result<Option<Place>, Failure> {
        if *method == Method::GET && lasts(attributes) {
            return Ok(None);
        }
        let reads = [Method::GET, Method::HEAD].contains(method);
        let places = if reads { &self.reads } else { &self.writes };
        places.take(user).map(Some).ok_or_else(|| Failure::too_many_requests(ALL_TAKEN))
    }
}

impl Places {
    fn take(self: &Arc<Self>, user: &User) -> Option<Place> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        if user.is_admin() {
            return Some(Place { _permit: permit, share: None });
        }
        let mut of_users = self.of_users.lock();
        let has = of_users.entry(user.name.clone()).or_default();
        if *has == self.max_of_user {
            return None;
        }
        *has += 1;
        Some(Place { _permit: permit, share: Some((Arc::clone(self), user.name.clone())) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, user)) = self.share.take() else { return };
        let mut of_users = places.of_users.lock();
        if let Some(has) = of_users.get_mut(&user) {
            *has -= 1;
            if *has == 0 {
                of_users.remove(&user);
            }
        }
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
mod tests;
