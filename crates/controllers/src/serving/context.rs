//! What the serving reconcilers work with.

use std::sync::Arc;

use jiff::Timestamp;
use objects::Client;
use parking_lot::Mutex;
use resources::{config::Configs, events::Correlator, meta::Time};
use tokio::sync::watch;

use super::{autoscaler::StatsHandle, revision::ImageResolver};

/// Tells the time; passed in so that tests can hold it still.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the serving reconcilers work with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The API.
    pub client: Client,
    /// The ConfigMaps in force; what depends on them is reconciled anew when they change.
    pub configs: watch::Receiver<Arc<Configs>>,
    /// The time.
    pub clock: Clock,
    /// Where requests from outside arrive.
    pub endpoint: PublicEndpoint,
    /// Finds out what an image tag stands for.
    pub images: Arc<dyn ImageResolver>,
    /// Where the data plane reports load.
    pub stats: StatsHandle,
    /// What was told in Events.
    pub told: Arc<Mutex<Correlator>>,
}

impl Context {
    pub(crate) fn now(&self) -> Time {
        Time((self.clock)())
    }

    /// The configuration in force now; one reconcile sees one state of it.
    pub(crate) fn configs(&self) -> Arc<Configs> {
        Arc::clone(&self.configs.borrow())
    }
}

/// Where requests from outside arrive: the scheme and port that URLs carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicEndpoint {
    /// `http` or `https`.
    pub scheme: String,
    /// The port that clients use; left out of URLs when it is the scheme's own.
    pub port: u16,
}
