//! What Ingresses may say of the embedded gateway.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use controllers::network::{DomainConflict, Gateways, IngressClass, LoadBalancers, Served};
use resources::{
    ObjectKey,
    networking::{LoadBalancerIngressStatus, LoadBalancerStatus},
};
use tokio::sync::watch;

/// The classes of upstream's networking layers. There is one gateway here, and it answers for all of them.
const CLASSES: &[&str] = &[
    "",
    "istio.ingress.networking.knative.dev",
    "kourier.ingress.networking.knative.dev",
    "contour.ingress.networking.knative.dev",
    "gateway-api.ingress.networking.knative.dev",
];

/// The gateway of this process.
pub(in crate::up) struct EmbeddedGateways {
    applied: Arc<dataplane::Applied>,
    address: IpAddr,
}

impl EmbeddedGateways {
    /// `listening` is where requests arrive.
    pub(in crate::up) fn new(applied: Arc<dataplane::Applied>, listening: IpAddr) -> Self {
        Self { applied, address: reached_at(listening) }
    }
}

/// Where this machine reaches what listens at an address. Listening at all of them is none to connect to.
fn reached_at(listening: IpAddr) -> IpAddr {
    match listening {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        named => named,
    }
}

impl Gateways for EmbeddedGateways {
    fn class(&self, class: &str) -> IngressClass {
        if CLASSES.contains(&class) { IngressClass::Served } else { IngressClass::Unknown }
    }

    fn know_all(&self) -> bool {
        self.applied.routes_listed()
    }

    fn served(&self, ingress: &ObjectKey) -> Option<Served> {
        let dataplane::Served { uid, generation, conflict } = self.applied.get(ingress)?;
        let conflict = conflict.map(|dataplane::Conflict { host, owner }| DomainConflict { host, owner });
        Some(Served { uid, generation, conflict })
    }

    fn conflicting(&self) -> Vec<ObjectKey> {
        self.applied.conflicting()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.applied.table()
    }

    fn load_balancers(&self) -> LoadBalancers {
        let entry = LoadBalancerIngressStatus { ip: Some(self.address.to_string()), ..Default::default() };
        let balancer = LoadBalancerStatus { ingress: vec![entry] };
        LoadBalancers { public: balancer.clone(), private: balancer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_upstreams_networking_layers_is_served() {
        let gateways = EmbeddedGateways::new(Arc::default(), IpAddr::from([127, 0, 0, 1]));
        for layer in ["istio", "kourier", "contour", "gateway-api"] {
            let class = format!("{layer}.ingress.networking.knative.dev");
            assert_eq!(gateways.class(&class), IngressClass::Served, "{class}");
        }
        for class in ["nginx", "mine.ingress.networking.knative.dev", "istio"] {
            assert_eq!(gateways.class(class), IngressClass::Unknown, "{class}");
        }
    }

    #[test]
    fn an_address_of_a_gateway_is_one_to_connect_to() {
        for (listening, expect) in [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7")] {
            let balancers =
                EmbeddedGateways::new(Arc::default(), listening.parse().unwrap()).load_balancers();
            assert_eq!(balancers.private.ingress[0].ip.as_deref(), Some(expect), "{listening}");
        }
    }
}
