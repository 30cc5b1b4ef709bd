//! Addresses and node ports of Services: given out before a write is answered, and given back with the Service.
//!
//! ```text
//!   a write ─► claim: what is asked for, or any ─┬─► stored: kept, and what it let go is free
//!                                                └─► not stored: as if nothing had been
//!   at the start: what the stored Services have is taken
//! ```
//!
//! What is taken is nowhere but in the Services themselves, so neither a crash nor a restore can make the two disagree.

mod pool;

use std::{any::Any, collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use objects::{Cause, Error};
use parking_lot::Mutex;
use resources::{
    DynObject, Object,
    builtin::{Service, ServicePort, ServiceSpec},
    downcast,
};
use storage::objects::Durability;

use self::pool::{Pool, Refusal};
use super::Registry;
use crate::{
    environment::Environment,
    store::{PageOptions, Selection, Start, Store, Write},
};

/// Where the addresses and the node ports of Services are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceRange {
    /// The first address, which nothing gets.
    pub network: Ipv4Addr,
    /// How many bits all of its addresses have in common.
    pub prefix: u8,
    /// The first and the last node port.
    pub node_ports: (u16, u16),
}

impl Default for ServiceRange {
    fn default() -> Self {
        Self { network: Ipv4Addr::new(10, 96, 0, 0), prefix: 16, node_ports: (30_000, 32_767) }
    }
}

/// What is taken, and what is free.
pub(crate) struct Addresses {
    pools: Mutex<Pools>,
}

struct Pools {
    ips: Pool,
    ports: Pool,
}

/// Numbers of the pools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    ips: BTreeSet<u32>,
    ports: BTreeSet<u32>,
}

/// What one write takes and lets go. Dropped, it was never there.
pub(super) struct Claim<'a> {
    addresses: &'a Addresses,
    taken: Held,
    let_go: Held,
}

impl Addresses {
    /// With what the stored Services have.
    pub(crate) async fn load(range: ServiceRange, store: &Store) -> Result<Self, Error> {
        let pools = Mutex::new(Pools { ips: Pool::of_addresses(range), ports: Pool::of_ports(range) });
        let all = PageOptions { limit: 0, from: Start::Now };
        for stored in store.page(<Service as Object>::kind(), &Selection::default(), all).await?.items {
            if let Some(service) = downcast::<Service>(stored.object()?) {
                let held = Held::of(service.spec.as_ref());
                let mut pools = pools.lock();
                held.ips.iter().for_each(|ip| pools.ips.mark(*ip));
                held.ports.iter().for_each(|port| pools.ports.mark(*port));
            }
        }
        Ok(Self { pools })
    }

    /// Gives a Service what it asks for and what it lacks; anything else stays as it is.
    pub(super) fn claim(
        &self,
        object: Arc<dyn DynObject>,
        old: Option<&dyn DynObject>,
        environment: &Environment,
    ) -> Result<(Arc<dyn DynObject>, Option<Claim<'_>>), Error> {
        if object.kind() != <Service as Object>::kind() {
            return Ok((object, None));
        }
        let Some(service) = downcast::<Service>(Arc::clone(&object)) else { return Ok((object, None)) };
        drop(object);
        let old = old.and_then(|old| (old as &dyn Any).downcast_ref::<Service>());
        let before = Held::of(old.and_then(|old| old.spec.as_ref()));
        let mut claim = Claim { addresses: self, taken: Held::default(), let_go: Held::default() };
        let mut service = Arc::unwrap_or_clone(service);
        let name = service.metadata.name.clone().unwrap_or_default();
        if let Some(spec) = &mut service.spec {
            claim.ask(spec, &before).map_err(|refused| refused.told(&name))?;
            claim.fill(spec, environment).map_err(|refused| refused.told(&name))?;
        }
        claim.let_go = before.without(&Held::of(service.spec.as_ref()));
        Ok((Arc::new(service), Some(claim)))
    }

    /// Takes back what an object had that is gone.
    pub(super) fn give_back(&self, object: &dyn DynObject) {
        if let Some(service) = (object as &dyn Any).downcast_ref::<Service>() {
            self.release(&Held::of(service.spec.as_ref()));
        }
    }

    fn release(&self, held: &Held) {
        let mut pools = self.pools.lock();
        held.ips.iter().for_each(|ip| pools.ips.release(*ip));
        held.ports.iter().for_each(|port| pools.ports.release(*port));
    }
}

impl Claim<'_> {
    /// What was written is stored: what it took is its own.
    pub(super) fn keep(mut self) {
        self.taken = Held::default();
        self.addresses.release(&std::mem::take(&mut self.let_go));
    }

    /// Takes what the spec names and did not have before.
    fn ask(&mut self, spec: &ServiceSpec, before: &Held) -> Result<(), Refused> {
        let mut pools = self.addresses.pools.lock();
        let all = spec.cluster_ips.as_deref().unwrap_or_default();
        for text in all.iter().filter(|_| is_given_address(spec)) {
            let Some(ip) = number(text) else { continue };
            if !before.ips.contains(&ip) {
                let refused = |why: Refusal| Refused::Address { all: all.to_vec(), ip: text.clone(), why };
                pools.ips.take(ip).map_err(refused)?;
                self.taken.ips.insert(ip);
            }
        }
        for (index, port) in spec.ports.iter().flatten().enumerate() {
            let Some(number) = node_port(port) else { continue };
            if !before.ports.contains(&number) && !self.taken.ports.contains(&number) {
                let field = format!("spec.ports[{index}].nodePort");
                pools.ports.take(number).map_err(|why| Refused::Port { field, number, why })?;
                self.taken.ports.insert(number);
            }
        }
        if let Some(number) = health_check_port(spec).filter(|number| !before.ports.contains(number)) {
            let field = "spec.healthCheckNodePort".to_owned();
            pools.ports.take(number).map_err(|why| Refused::Port { field, number, why })?;
            self.taken.ports.insert(number);
        }
        Ok(())
    }

    /// Takes what the spec needs and does not name.
    fn fill(&mut self, spec: &mut ServiceSpec, environment: &Environment) -> Result<(), Refused> {
        let mut pools = self.addresses.pools.lock();
        if is_given_address(spec) && spec.cluster_ips.as_ref().is_none_or(Vec::is_empty) {
            let ip = pools.ips.take_any(environment).ok_or(Refused::Full("serviceIP"))?;
            self.taken.ips.insert(ip);
            let text = Ipv4Addr::from(ip).to_string();
            spec.cluster_ips = Some(vec![text.clone()]);
            spec.cluster_ip = Some(text);
        }
        let mut any_port = || {
            let port = pools.ports.take_any(environment).ok_or(Refused::Full("nodePort"))?;
            self.taken.ports.insert(port);
            Ok::<_, Refused>(i32::try_from(port).expect("a port is a small number"))
        };
        if is_given_node_ports(spec) {
            // Ports of the same number, which differ in protocol, share one.
            let mut by_number: Vec<(i32, i32)> =
                spec.ports.iter().flatten().filter_map(|port| Some((port.port, port.node_port?))).collect();
            for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.is_none()) {
                let known = by_number.iter().find(|(number, _)| *number == port.port);
                let given = match known {
                    Some((_, given)) => *given,
                    None => any_port()?,
                };
                by_number.push((port.port, given));
                port.node_port = Some(given);
            }
        }
        if needs_health_check(spec) && spec.health_check_node_port.is_none() {
            spec.health_check_node_port = Some(any_port()?);
        }
        Ok(())
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.addresses.release(&self.taken);
    }
}

impl Held {
    fn of(spec: Option<&ServiceSpec>) -> Self {
        let Some(spec) = spec else { return Self::default() };
        let texts = spec.cluster_ips.iter().flatten().filter(|_| is_given_address(spec));
        let ports = spec.ports.iter().flatten().filter_map(node_port);
        Self {
            ips: texts.filter_map(|text| number(text)).collect(),
            ports: ports.chain(health_check_port(spec)).collect(),
        }
    }

    fn without(self, other: &Self) -> Self {
        Self { ips: &self.ips - &other.ips, ports: &self.ports - &other.ports }
    }
}

impl Registry {
    /// Gives the stored Services what they lack: those of an Ebb that gave none.
    pub(crate) async fn complete_services(&self) -> Result<(), Error> {
        let all = PageOptions { limit: 0, from: Start::Now };
        for before in self.store.page(<Service as Object>::kind(), &Selection::default(), all).await?.items {
            let present = before.object()?;
            let lacks = (&*present as &dyn Any).downcast_ref::<Service>().is_some_and(|service| {
                let spec = service.spec.as_ref();
                spec.is_some_and(|spec| is_given_address(spec) && spec.cluster_ips.is_none())
            });
            if !lacks {
                continue;
            }
            let claimed = self.addresses.claim(Arc::clone(&present), Some(&*present), &self.environment);
            let (object, claim) = match claimed {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::warn!(%error, "Services of an older Ebb stay without an address");
                    return Ok(());
                }
            };
            let (metadata, size_hint) = (object.metadata().clone(), before.cost());
            let durability = Durability::Soon;
            let write = Write { object, metadata, before: Some(before), durability, size_hint };
            self.commit(write, claim, false).await?;
        }
        Ok(())
    }
}

fn kind(spec: &ServiceSpec) -> &str {
    spec.type_.as_deref().unwrap_or("ClusterIP")
}

fn is_given_address(spec: &ServiceSpec) -> bool {
    kind(spec) != "ExternalName" && spec.cluster_ip.as_deref() != Some("None")
}

fn is_given_node_ports(spec: &ServiceSpec) -> bool {
    kind(spec) == "NodePort"
        || kind(spec) == "LoadBalancer" && spec.allocate_load_balancer_node_ports != Some(false)
}

fn needs_health_check(spec: &ServiceSpec) -> bool {
    kind(spec) == "LoadBalancer" && spec.external_traffic_policy.as_deref() == Some("Local")
}

fn number(ip: &str) -> Option<u32> {
    ip.parse::<Ipv4Addr>().ok().map(u32::from)
}

fn node_port(port: &ServicePort) -> Option<u32> {
    port.node_port.and_then(|port| u32::try_from(port).ok())
}

fn health_check_port(spec: &ServiceSpec) -> Option<u32> {
    spec.health_check_node_port.filter(|_| needs_health_check(spec)).and_then(|port| u32::try_from(port).ok())
}

/// Why a Service does not get something, in upstream's words.
enum Refused {
    Address { all: Vec<String>, ip: String, why: Refusal },
    Port { field: String, number: u32, why: Refusal },
    Full(&'static str),
}

impl Refused {
    fn told(self, name: &str) -> Error {
        let (field, message) = match self {
            Self::Full(what) => {
                return Error::Internal(format!("failed to allocate a {what}: range is full"));
            }
            Self::Address { all, ip, why } => {
                let why = why.of_address(&ip);
                let message = format!("Invalid value: {all:?}: failed to allocate IP {ip}: {why}");
                ("spec.clusterIPs".to_owned(), message)
            }
            Self::Port { field, number, why } => {
                (field, format!("Invalid value: {number}: {}", why.of_port()))
            }
        };
        let cause = Cause { field, reason: "FieldValueInvalid".into(), message };
        Error::Invalid { kind: <Service as Object>::kind(), name: name.to_owned(), causes: vec![cause] }
    }
}

#[cfg(test)]
mod tests;
