//! Which addresses the platform listens on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;

/// The ports tried for requests where the user names none.
const HTTP_PORTS: [u16; 2] = [80, 8080];

/// Binds where requests arrive. `open` says whether other machines may reach it.
pub(crate) async fn http(asked: Option<SocketAddr>, open: bool) -> Result<TcpListener> {
    if let Some(address) = asked {
        return bind("--http", address).await;
    }
    let ip = IpAddr::V4(if open { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST });
    let mut refusals = Vec::new();
    for port in HTTP_PORTS {
        match TcpListener::bind((ip, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => refusals.push(format!("{ip}:{port}: {error}")),
        }
    }
    bail!("cannot listen for requests: {}; name a free address with --http", refusals.join("; "))
}

/// Binds an address that a flag names.
pub(crate) async fn bind(flag: &str, address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; name another address with {flag}"))
}
