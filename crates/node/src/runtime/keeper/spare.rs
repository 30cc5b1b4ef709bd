//! Sandboxes that are made beforehand, for no pod yet, some with the address that one will probably have.

use std::net::IpAddr;

use super::sandbox::Sandbox;

#[derive(Default)]
pub(super) struct Spare {
    sandboxes: Vec<Sandbox>,
    /// Guessed, the likeliest first.
    next: Vec<IpAddr>,
}

impl Spare {
    pub(super) fn len(&self) -> usize {
        self.sandboxes.len()
    }

    /// The address that the next one that is made should have.
    pub(super) fn wanted(&self) -> Option<IpAddr> {
        let is_there = |address: &IpAddr| self.sandboxes.iter().any(|spare| spare.addresses == [*address]);
        self.next.iter().find(|address| !is_there(address)).copied()
    }

    pub(super) fn add(&mut self, sandbox: Sandbox) {
        self.sandboxes.push(sandbox);
    }

    /// One that has these addresses, or else none yet.
    pub(super) fn take(&mut self, addresses: &[IpAddr]) -> Option<Sandbox> {
        let with = |wanted: &[IpAddr]| self.sandboxes.iter().position(|spare| spare.addresses == wanted);
        let found = with(addresses).or_else(|| with(&[]))?;
        Some(self.sandboxes.swap_remove(found))
    }

    /// Takes new guesses in. What has an address that no pod will have makes room.
    pub(super) fn guess(&mut self, next: &[IpAddr]) {
        self.next = next.to_vec();
        self.sandboxes.retain(|spare| spare.addresses.iter().all(|address| next.contains(address)));
    }

    pub(super) fn clear(&mut self) {
        self.sandboxes.clear();
    }
}
