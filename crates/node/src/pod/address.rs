//! Which address each pod has.

use std::{collections::HashSet, net::Ipv4Addr};

use parking_lot::Mutex;

/// The node's own address, which pods of one machine share with their host.
pub const NODE_ADDRESS: &str = "127.0.0.1";

/// The addresses of a range that are not taken. Hands them out in turn, so that one that was just given back rests.
#[derive(Debug)]
pub(super) struct Addresses {
    first: u32,
    count: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u32,
    taken: HashSet<u32>,
}

impl Addresses {
    /// The addresses of `network`/`prefix`, without the network's own, the router's and the broadcast address.
    pub(super) fn new(network: Ipv4Addr, prefix: u8) -> Self {
        let size = 1u32 << (32 - u32::from(prefix.clamp(8, 29)));
        let network = u32::from(network) & !(size - 1);
        Self { first: network + 2, count: size - 3, state: Mutex::default() }
    }

    /// Takes an address; `None` when all are taken.
    pub(super) fn take(&self) -> Option<Ipv4Addr> {
        let mut state = self.state.lock();
        if state.taken.len() as u32 >= self.count {
            return None;
        }
        loop {
            let at = state.next;
            state.next = (at + 1) % self.count;
            if state.taken.insert(at) {
                return Some(Ipv4Addr::from(self.first + at));
            }
        }
    }

    /// The addresses that will be taken next, as it looks now.
    pub(super) fn next(&self, count: usize) -> Vec<Ipv4Addr> {
        let state = self.state.lock();
        let order = (0..self.count).map(|step| (state.next + step) % self.count);
        let free = order.filter(|at| !state.taken.contains(at)).take(count);
        free.map(|at| Ipv4Addr::from(self.first + at)).collect()
    }

    /// Takes a certain address, which a pod has already; whether it was free, and of the range.
    pub(super) fn take_this(&self, address: Ipv4Addr) -> bool {
        let at = u32::from(address).wrapping_sub(self.first);
        at < self.count && self.state.lock().taken.insert(at)
    }

    /// Gives an address back.
    pub(super) fn give_back(&self, address: Ipv4Addr) {
        self.state.lock().taken.remove(&u32::from(address).wrapping_sub(self.first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_in_turn_and_end() {
        let addresses = Addresses::new(Ipv4Addr::new(10, 1, 2, 77), 29);
        let all: Vec<_> = std::iter::from_fn(|| {
            let next = addresses.next(1);
            let taken = addresses.take();
            assert_eq!(next, Vec::from_iter(taken));
            taken
        })
        .map(|address| address.octets()[3])
        .collect();
        assert_eq!(all, [74, 75, 76, 77, 78], "of 10.1.2.72/29, without .72, .73 and .79");
        addresses.give_back(Ipv4Addr::new(10, 1, 2, 75));
        assert_eq!(addresses.next(4), [Ipv4Addr::new(10, 1, 2, 75)]);
        assert_eq!(addresses.take(), Some(Ipv4Addr::new(10, 1, 2, 75)));
        assert_eq!(addresses.take(), None);
    }

    #[test]
    fn an_address_that_a_pod_has_is_not_given_again() {
        let addresses = Addresses::new(Ipv4Addr::new(10, 1, 2, 72), 29);
        let this = |last| addresses.take_this(Ipv4Addr::new(10, 1, 2, last));
        assert_eq!([73, 74, 74, 78, 79].map(this), [false, true, false, true, false]);
        let rest: Vec<_> =
            std::iter::from_fn(|| addresses.take()).map(|address| address.octets()[3]).collect();
        assert_eq!(rest, [75, 76, 77]);
    }
}
