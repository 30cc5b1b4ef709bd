//! Which host and path goes to which revision, as an immutable whole with a number.
//!
//! A table is a tree of shared parts: hosts in shards, so that a change to one ingress copies only the shards that
//! its hosts are in, and readers of the old table never notice.
//!
//! ```text
//!   RouteTable ── number
//!       ├─ hosts[shard]     ──► host ──► claims: one per ingress, the first one serves
//!       └─ ingresses[shard] ──► ingress ──► its hosts (to take them away again)
//! ```

mod compile;
mod host;
mod shards;

use std::sync::Arc;

use resources::ObjectKey;

pub use self::compile::IngressRoutes;
use self::compile::compile;
use self::host::{Claim, Claims};
pub(crate) use self::host::{Paths, Target, canonical};
use self::shards::Shards;

/// Who may reach a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone who reaches the public listener.
    #[default]
    Public,
    /// Only other workloads.
    ClusterLocal,
}

/// All routes that the gateway serves.
#[derive(Clone, Default)]
pub struct RouteTable {
    number: u64,
    hosts: Shards<Box<str>, Claims>,
    ingresses: Shards<ObjectKey, Arc<[Box<str>]>>,
}

/// One step from a table to the next.
#[derive(Clone, Debug)]
pub enum Change {
    /// The ingress has these routes now.
    Set(IngressRoutes),
    /// The ingress is gone.
    Remove(ObjectKey),
}

/// A host that an ingress asked for and another one has. It is served as soon as the other lets go of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub ingress: ObjectKey,
    pub host: String,
    pub owner: ObjectKey,
}

impl RouteTable {
    /// The table's place in the order of tables: each one is one more than the table it was made from.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many hosts are served.
    pub fn host_count(&self) -> usize {
        self.hosts.len()
    }

    /// The next table, and the hosts that could not be given to the ingresses just set. Costs the shards that the
    /// changes touch, not the table.
    pub fn with(&self, changes: impl IntoIterator<Item = Change>) -> (Self, Vec<Conflict>) {
        let mut next = Self { number: self.number + 1, ..self.clone() };
        let mut conflicts = Vec::new();
        for change in changes {
            match change {
                Change::Remove(ingress) => next.remove(&ingress),
                Change::Set(routes) => conflicts.append(&mut next.set(routes)),
            }
        }
        (next, conflicts)
    }

    pub(crate) fn paths(&self, host: &str, listener: Visibility) -> Option<&Paths> {
        let paths = &self.hosts.get(host)?.first()?.paths;
        (listener == Visibility::ClusterLocal || paths.visibility == Visibility::Public).then_some(paths)
    }

    fn set(&mut self, routes: IngressRoutes) -> Vec<Conflict> {
        let ingress = routes.ingress.clone();
        let compiled = compile(&routes);
        let before = self.ingresses.get(&ingress).cloned().unwrap_or_default();
        for host in before.iter().filter(|host| compiled.iter().all(|(kept, _)| kept != *host)) {
            self.release(host, &ingress);
        }
        let hosts: Arc<[_]> = compiled.iter().map(|(host, _)| host.clone()).collect();
        self.ingresses.insert(ingress.clone(), hosts);
        compiled.into_iter().filter_map(|(host, paths)| self.claim(host, &ingress, paths)).collect()
    }

    fn remove(&mut self, ingress: &ObjectKey) {
        for host in self.ingresses.remove(ingress).unwrap_or_default().iter() {
            self.release(host, ingress);
        }
    }

    fn claim(&mut self, host: Box<str>, ingress: &ObjectKey, paths: Paths) -> Option<Conflict> {
        let name = host.to_string();
        let claims = self.hosts.entry(host);
        let claim = Claim { ingress: ingress.clone(), paths };
        match claims.iter().position(|claim| claim.ingress == *ingress) {
            Some(at) => claims[at] = claim,
            None => claims.push(claim),
        }
        let owner = &claims[0].ingress;
        (owner != ingress).then(|| Conflict { ingress: ingress.clone(), host: name, owner: owner.clone() })
    }

    fn release(&mut self, host: &str, ingress: &ObjectKey) {
        let Some(claims) = self.hosts.get_mut(host) else { return };
        claims.retain(|claim| claim.ingress != *ingress);
        if claims.is_empty() {
            self.hosts.remove(host);
        }
    }
}

impl std::fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RouteTable").field("number", &self.number).field("hosts", &self.host_count()).finish()
    }
}

#[cfg(test)]
mod tests;
