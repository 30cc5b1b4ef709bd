//! How many connections each client has, so that one alone cannot have them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// The open connections by client.
#[derive(Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, Peer>>>);

#[derive(Default)]
struct Peer {
    connections: usize,
    /// Whether a refusal was logged since it last was within its limit.
    refused: bool,
}

/// A client's connection, which counts until this is dropped.
pub(super) struct PeerSeat {
    peers: Peers,
    client: IpAddr,
}

impl Peers {
    /// Counts a connection; `None` when the client has `max` already.
    pub(super) fn admit(&self, address: IpAddr, max: usize) -> Option<PeerSeat> {
        let client = client(address);
        let mut peers = self.0.lock();
        let peer = peers.entry(client).or_default();
        if peer.connections >= max {
            if !std::mem::replace(&mut peer.refused, true) {
                tracing::warn!(%client, connections = max, "refusing connections of a client that has too many");
            }
            return None;
        }
        peer.connections += 1;
        peer.refused = false;
        Some(PeerSeat { peers: self.clone(), client })
    }
}

impl Drop for PeerSeat {
    fn drop(&mut self) {
        let mut peers = self.peers.0.lock();
        if let Some(peer) = peers.get_mut(&self.client) {
            peer.connections -= 1;
            if peer.connections == 0 {
                peers.remove(&self.client);
            }
        }
    }
}

/// Whose connection it is: of IPv6, a client has a whole /64.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_bound() {
        let peers = Peers::default();
        let admit = |address: &str| peers.admit(address.parse().unwrap(), 2);
        let first = admit("10.0.0.1").unwrap();
        let _second = admit("::ffff:10.0.0.1").unwrap();
        assert!(admit("10.0.0.1").is_none());
        let _other = admit("10.0.0.2").unwrap();
        drop(first);
        let _third = admit("10.0.0.1").unwrap();
        let _one = admit("2001:db8::1").unwrap();
        let _two = admit("2001:db8::2").unwrap();
        assert!(admit("2001:db8::3").is_none(), "one network, one client");
        assert!(admit("2001:db8:0:1::1").is_some());
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let peers = Peers::default();
        drop(peers.admit("10.0.0.1".parse().unwrap(), 2));
        assert!(peers.0.lock().is_empty());
    }
}
