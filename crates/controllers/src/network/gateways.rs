//! The seam to the gateways: an Ingress is ready when they serve it, not when it is written down.

use resources::{ObjectKey, networking::LoadBalancerStatus};
use tokio::sync::watch;

/// The gateways, as far as Ingresses are concerned.
pub trait Gateways: Send + Sync + 'static {
    /// What an ingress class means here.
    fn class(&self, class: &str) -> IngressClass;

    /// The state of an Ingress that every gateway serves; `None` while some serve no state of it.
    fn applied(&self, ingress: &ObjectKey) -> Option<Applied>;

    /// Changes after each routing table that every gateway has taken.
    fn changed(&self) -> watch::Receiver<u64>;

    /// Where requests arrive.
    fn load_balancers(&self) -> LoadBalancers;
}

/// A state of an Ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The Ingress' uid, since another one may have had the name before.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
}

/// What an ingress class means to the gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngressClass {
    /// They serve it.
    Served,
    /// Another controller does, and writes its status.
    Others,
    /// Nobody does.
    Unknown,
}

/// Where requests arrive, as an Ingress' status shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadBalancers {
    /// From outside.
    pub public: LoadBalancerStatus,
    /// From inside.
    pub private: LoadBalancerStatus,
}
