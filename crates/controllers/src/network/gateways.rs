//! The seam to the gateways: an Ingress is ready when they serve it, not when it is written down.

use resources::{ObjectKey, networking::LoadBalancerStatus};
use tokio::sync::watch;

/// The gateways, as far as Ingresses are concerned.
pub trait Gateways: Send + Sync + 'static {
    /// What an ingress class means here.
    fn class(&self, class: &str) -> IngressClass;

    /// Whether they have heard of all Ingresses that there were when they began; until then, what they do not serve may
    /// only be still to come.
    fn know_all(&self) -> bool;

    /// The state of an Ingress that every gateway serves; `None` while some serve no state of it.
    fn served(&self, ingress: &ObjectKey) -> Option<Served>;

    /// The Ingresses that do not have all of their hosts, because older ones have them.
    fn conflicting(&self) -> Vec<ObjectKey>;

    /// Changes after each routing table that every gateway has taken.
    fn changed(&self) -> watch::Receiver<u64>;

    /// Where requests arrive.
    fn load_balancers(&self) -> LoadBalancers;
}

/// A state of an Ingress that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The Ingress' uid, since another one may have had the name before.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// A host of it that it does not have.
    pub conflict: Option<DomainConflict>,
}

/// A host that an Ingress asks for and an older one has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainConflict {
    /// The host.
    pub host: String,
    /// The Ingress that has it.
    pub owner: ObjectKey,
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
