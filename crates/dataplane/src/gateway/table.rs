//! Which host and path goes to which revision, as an immutable whole with a number.
//!
//! A table is a tree of shared parts: hosts in shards, so that a change to one ingress copies only the shards that
//! its hosts are in, and readers of the old table never notice.
//!
//! ```text
//!   RouteTable ── number
//!       ├─ hosts[shard]     ──► host ──► claims: one per ingress, the oldest ingress' serves
//!       └─ ingresses[shard] ──► ingress ──► its hosts (to take them away again)
//! ```
//!
//! Who has a host follows from the ingresses alone, not from the order in which they became known: after a restart
//! everything is as it was.

mod compile;
mod host;
mod shards;

use std::collections::BTreeSet;
use std::sync::Arc;

use resources::{ObjectKey, meta::Time};

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

/// Which of two ingresses came first: the one created earlier, and of two at once the one with the lesser uid.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    pub created: Option<Time>,
    pub uid: String,
}

/// A host that an ingress asks for and an older one has. It gets the host as soon as the other lets go of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub host: String,
    pub owner: ObjectKey,
}

/// How an ingress stands in a table: it has all of its hosts, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub ingress: ObjectKey,
    /// The first of the hosts that it does not have.
    pub conflict: Option<Conflict>,
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

    /// The next table, and how the ingresses stand in it that the changes may concern: those just set, and all that ask
    /// for a host which changed hands. Costs the shards that the changes touch, not the table.
    pub fn with(&self, changes: impl IntoIterator<Item = Change>) -> (Self, Vec<Standing>) {
        let mut next = Self { number: self.number + 1, ..self.clone() };
        let mut concerned = BTreeSet::new();
        for change in changes {
            match change {
                Change::Remove(ingress) => next.remove(&ingress, &mut concerned),
                Change::Set(routes) => next.set(routes, &mut concerned),
            }
        }
        let standings = concerned.into_iter().filter_map(|ingress| next.standing(ingress)).collect();
        (next, standings)
    }

    pub(crate) fn paths(&self, host: &str, listener: Visibility) -> Option<&Paths> {
        let paths = &self.hosts.get(host)?.first()?.paths;
        (listener == Visibility::ClusterLocal || paths.visibility == Visibility::Public).then_some(paths)
    }

    fn set(&mut self, routes: IngressRoutes, concerned: &mut BTreeSet<ObjectKey>) {
        let ingress = routes.ingress.clone();
        let compiled = compile(&routes);
        let before = self.ingresses.get(&ingress).cloned().unwrap_or_default();
        for host in before.iter().filter(|host| compiled.iter().all(|(kept, _)| kept != *host)) {
            self.release(host, &ingress, concerned);
        }
        concerned.insert(ingress.clone());
        let hosts: Arc<[_]> = compiled.iter().map(|(host, _)| host.clone()).collect();
        self.ingresses.insert(ingress.clone(), hosts);
        for (host, paths) in compiled {
            let claims = self.hosts.entry(host);
            claims.retain(|claim| claim.ingress != ingress);
            let at = claims.partition_point(|claim| claim.age < routes.age);
            claims.insert(at, Claim { ingress: ingress.clone(), age: routes.age.clone(), paths });
            concerned.extend(
                claims.iter().map(|claim| &claim.ingress).filter(|other| **other != ingress).cloned(),
            );
        }
    }

    fn remove(&mut self, ingress: &ObjectKey, concerned: &mut BTreeSet<ObjectKey>) {
        for host in self.ingresses.remove(ingress).unwrap_or_default().iter() {
            self.release(host, ingress, concerned);
        }
    }

    fn release(&mut self, host: &str, ingress: &ObjectKey, concerned: &mut BTreeSet<ObjectKey>) {
        let Some(claims) = self.hosts.get_mut(host) else { return };
        claims.retain(|claim| claim.ingress != *ingress);
        concerned.extend(claims.iter().map(|claim| claim.ingress.clone()));
        if claims.is_empty() {
            self.hosts.remove(host);
        }
    }

    /// `None` when the ingress is not there.
    fn standing(&self, ingress: ObjectKey) -> Option<Standing> {
        let lost = |host: &str| {
            let owner = &self.hosts.get(host)?.first()?.ingress;
            (*owner != ingress).then(|| Conflict { host: host.to_string(), owner: owner.clone() })
        };
        let conflict = self.ingresses.get(&ingress)?.iter().find_map(|host| lost(host));
        Some(Standing { ingress, conflict })
    }
}

impl std::fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RouteTable").field("number", &self.number).field("hosts", &self.host_count()).finish()
    }
}

#[cfg(test)]
mod tests;
