//! Which addresses the platform listens on, with the sockets that an earlier daemon has left with the keeper.
//!
//! A daemon that wants the address of a kept socket gets that one, with the connections that wait in it. So port 0, any
//! free port, is the same one again after a restart. Another address is bound anew, and the kept socket is closed first:
//! it may be in the way.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::AsFd,
};

use anyhow::{Context, Result, bail};
use node::runtime::SharedRuntime;
use tokio::net::TcpListener;

/// The ports tried for requests where the user names none.
const HTTP_PORTS: [u16; 2] = [80, 8080];
/// The flags that name addresses, under which their sockets are kept.
const API: &str = "--api";
const HTTP: &str = "--http";

/// The platform's listening sockets.
pub(super) struct Listeners {
    runtime: SharedRuntime,
    kept: Vec<(String, std::net::TcpListener)>,
}

impl Listeners {
    /// Those that were kept by what runs containers, and those to come.
    pub(super) fn new(runtime: SharedRuntime) -> Self {
        let kept = runtime.kept_sockets().into_iter();
        let kept = kept.map(|(name, socket)| (name, std::net::TcpListener::from(socket))).collect();
        Self { runtime, kept }
    }

    /// Where the API listens.
    pub(super) async fn api(&mut self, address: SocketAddr) -> Result<TcpListener> {
        self.named(API, address).await
    }

    /// Where requests arrive. `open` says whether other machines may reach it.
    pub(super) async fn http(&mut self, asked: Option<SocketAddr>, open: bool) -> Result<TcpListener> {
        if let Some(address) = asked {
            return self.named(HTTP, address).await;
        }
        let ip = IpAddr::V4(if open { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST });
        let addresses = HTTP_PORTS.map(|port| SocketAddr::new(ip, port));
        if let Some(kept) = self.take(HTTP, &addresses).await? {
            return Ok(kept);
        }
        let mut refusals = Vec::new();
        for address in addresses {
            match TcpListener::bind(address).await {
                Ok(listener) => return Ok(listener),
                Err(error) => refusals.push(format!("{address}: {error}")),
            }
        }
        bail!("cannot listen for requests: {}; name a free address with {HTTP}", refusals.join("; "))
    }

    /// Has the keeper hold both, so that connections wait while there is no daemon.
    pub(super) async fn keep(self, api: &TcpListener, http: &TcpListener) -> Result<()> {
        for (flag, listener) in [(API, api), (HTTP, http)] {
            self.runtime.keep_socket(flag, listener.as_fd()).await?;
        }
        Ok(())
    }

    /// The socket of an address that a flag names.
    async fn named(&mut self, flag: &str, address: SocketAddr) -> Result<TcpListener> {
        if let Some(kept) = self.take(flag, &[address]).await? {
            return Ok(kept);
        }
        let bound = TcpListener::bind(address).await;
        bound.with_context(|| format!("cannot listen on {address}; name another address with {flag}"))
    }

    /// The kept socket, if it is one of these; otherwise it is closed.
    async fn take(&mut self, flag: &str, wanted: &[SocketAddr]) -> Result<Option<TcpListener>> {
        let Some(at) = self.kept.iter().position(|(name, _)| name == flag) else { return Ok(None) };
        let (_, listener) = self.kept.swap_remove(at);
        let address = listener.local_addr()?;
        if wanted.iter().any(|wanted| is(*wanted, address)) {
            listener.set_nonblocking(true)?;
            return Ok(Some(TcpListener::from_std(listener)?));
        }
        drop(listener);
        self.runtime.drop_socket(flag).await?;
        Ok(None)
    }
}

/// Whether this address is the one that is wanted.
fn is(wanted: SocketAddr, address: SocketAddr) -> bool {
    wanted == address || wanted.port() == 0 && wanted.ip() == address.ip()
}
