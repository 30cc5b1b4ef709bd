//! Which addresses the platform listens on, with the sockets that an earlier daemon has left with the keeper.
//!
//! A daemon that wants the address of a kept socket gets that one, with the connections that wait in it. So port 0, any
//! free port, is the same one again after a restart. Another address is bound anew, and the kept socket is closed first:
//! it may be in the way.

mod holder;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::AsFd,
    time::Duration,
};

use anyhow::{Result, anyhow, bail};
use node::runtime::SharedRuntime;
use tokio::{net::TcpListener, time::timeout};

/// The flags that name addresses, under which their sockets are kept.
const API: &str = "--api";
const HTTP: &str = "--http";

/// How long the keeper has to close its copies at a stop. It takes milliseconds; requests in hand are not kept waiting for one
/// that does not answer.
const LET_GO_MAX: Duration = Duration::from_secs(1);

/// Where requests shall arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HttpAddress {
    /// There, or nowhere.
    At(SocketAddr),
    /// At the first of these ports that can be had.
    FirstOf(&'static [u16]),
}

/// Where requests arrive.
pub(super) struct HttpListener {
    pub(super) socket: TcpListener,
    /// Why not at the port that comes first, if another one was taken.
    pub(super) passed_over: Option<String>,
}

impl HttpListener {
    fn of(socket: TcpListener) -> Self {
        Self { socket, passed_over: None }
    }
}

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
    pub(super) async fn http(&mut self, asked: HttpAddress, open: bool) -> Result<HttpListener> {
        let ports = match asked {
            HttpAddress::At(address) => return self.named(HTTP, address).await.map(HttpListener::of),
            HttpAddress::FirstOf(ports) => ports,
        };
        let ip = IpAddr::V4(if open { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST });
        let addresses: Vec<_> = ports.iter().map(|port| SocketAddr::new(ip, *port)).collect();
        if let Some(socket) = self.take(HTTP, &addresses).await? {
            let kept = socket.local_addr()?.port();
            let passed_over = ports.first().and_then(|first| passed_over_for_kept(*first, kept));
            return Ok(HttpListener { socket, passed_over });
        }
        let mut refusals: Vec<(SocketAddr, io::Error)> = Vec::new();
        for address in addresses {
            match TcpListener::bind(address).await {
                Ok(socket) => {
                    let passed_over = refusals.first().map(|(first, error)| {
                        passed_over(*first, error, holder_of(*first, error).as_deref())
                    });
                    return Ok(HttpListener { socket, passed_over });
                }
                Err(error) => refusals.push((address, error)),
            }
        }
        let refusals: Vec<_> = refusals.iter().map(|(address, error)| refusal(*address, error)).collect();
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
        bound.map_err(|error| {
            anyhow!("cannot listen on {}; name another address with {flag}", refusal(address, &error))
        })
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

/// Has the keeper hold none any more: there is no next daemon that those who connect from here on could wait for.
pub(super) async fn let_go(runtime: &SharedRuntime) {
    let both = async { tokio::join!(runtime.drop_socket(API), runtime.drop_socket(HTTP)) };
    let Ok((api, http)) = timeout(LET_GO_MAX, both).await else {
        tracing::warn!(
            "the keeper has not let go of the listening sockets within {LET_GO_MAX:?}; whoever connects from here on is \
             refused only when all has ended"
        );
        return;
    };
    for error in [api, http].into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "whoever connects from here on is refused only when all has ended");
    }
}

/// An address, and why it cannot be had.
fn refusal(address: SocketAddr, error: &io::Error) -> String {
    match holder_of(address, error) {
        Some(holder) => format!("{address}: {error} by {holder}"),
        None => format!("{address}: {error}"),
    }
}

/// The other Ebb that has it, if that is why.
fn holder_of(address: SocketAddr, error: &io::Error) -> Option<String> {
    (error.kind() == io::ErrorKind::AddrInUse).then(|| holder::of(address)).flatten()
}

/// Why an address was not taken, and what can be done. `holder` is the Ebb that has it, if one has.
fn passed_over(address: SocketAddr, error: &io::Error, holder: Option<&str>) -> String {
    let port = address.port();
    if let Some(holder) = holder {
        return format!("not at port {port}, in use by {holder}");
    }
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("not at port {port}, which another program has"),
        io::ErrorKind::PermissionDenied => format!("not at port {port}, which needs root's rights"),
        _ => format!("not at port {port}: {error}"),
    }
}

/// Likewise of the port that comes first, where the socket that was kept is at another.
fn passed_over_for_kept(first: u16, kept: u16) -> Option<String> {
    (kept != first).then(|| format!("not at port {first}: {kept} is kept from the last run"))
}

/// Whether this address is the one that is wanted.
fn is(wanted: SocketAddr, address: SocketAddr) -> bool {
    wanted == address || wanted.port() == 0 && wanted.ip() == address.ip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_passed_over_is_told_with_the_reason() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let in_use = std::net::TcpListener::bind(occupied.local_addr().unwrap()).unwrap_err();
        let forbidden = io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error());
        assert_eq!(
            passed_over(address, &in_use, Some("another `ebb up`")),
            "not at port 80, in use by another `ebb up`"
        );
        for (error, expect) in [
            (in_use, "not at port 80, which another program has"),
            (forbidden, "not at port 80, which needs root's rights"),
            (io::Error::other("no such device"), "not at port 80: no such device"),
        ] {
            assert_eq!(passed_over(address, &error, None), expect);
        }
        assert_eq!(
            passed_over_for_kept(80, 8080).as_deref(),
            Some("not at port 80: 8080 is kept from the last run")
        );
        assert_eq!(passed_over_for_kept(80, 80), None);
    }
}
