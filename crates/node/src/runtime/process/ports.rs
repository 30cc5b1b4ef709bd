//! Ports for programs that share the host's loopback.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Gives a program that is told a port by `PORT` a free one instead; returns the meant and the given one.
pub(super) fn assign(env: &mut BTreeMap<String, String>) -> io::Result<Option<(u16, u16)>> {
    let Some(meant) = env.get("PORT").and_then(|port| port.parse().ok()) else { return Ok(None) };
    let given = free_port()?;
    env.insert("PORT".to_owned(), given.to_string());
    Ok(Some((meant, given)))
}

/// A port that was free a moment ago. Another program may take it first; the start then fails as if the port had been
/// in use, and is tried again with another.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_with_a_port_gets_one() {
        let mut env = BTreeMap::from([("PORT".to_owned(), "8080".to_owned())]);
        let (meant, given) = assign(&mut env).unwrap().unwrap();
        assert_eq!(meant, 8080);
        assert_eq!(env["PORT"], given.to_string());

        let mut env = BTreeMap::from([("PORT".to_owned(), "none".to_owned())]);
        assert_eq!(assign(&mut env).unwrap(), None);
        assert_eq!(env["PORT"], "none");
        assert_eq!(assign(&mut BTreeMap::new()).unwrap(), None);
    }
}
