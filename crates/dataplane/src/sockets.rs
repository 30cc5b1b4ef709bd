//! What is asked of the kernel for each socket of the path.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::net::sockopt;

use crate::Limits;

/// How often a silent peer is asked whether it is there, before it is given up.
const PROBES: u32 = 3;

/// Towards clients. Set on the listening socket, whose connections inherit it, so that it costs them nothing.
pub(crate) fn of_clients(socket: impl AsFd, limits: &Limits) -> io::Result<()> {
    sockopt::set_tcp_nodelay(&socket, true)?;
    keep_alive(&socket, limits.keep_alive)?;
    // Also while the client acknowledges what it gets and takes nothing of it: a window of zero.
    let stall = u32::try_from(limits.client_stall_max.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(&socket, stall)?;
    Ok(())
}

/// A client's connection. One that was in the backlog before the listening socket was prepared has inherited nothing.
pub(crate) fn of_accepted(stream: impl AsFd, limits: &Limits) -> io::Result<()> {
    if sockopt::socket_keepalive(&stream)? { Ok(()) } else { of_clients(stream, limits) }
}

/// Towards instances. An application may take its time to read what it is sent, so it is only asked whether it is
/// there.
pub(crate) fn of_instance(stream: impl AsFd, limits: &Limits) -> io::Result<()> {
    sockopt::set_tcp_nodelay(&stream, true)?;
    keep_alive(&stream, limits.keep_alive)
}

fn keep_alive(socket: impl AsFd, interval: Duration) -> io::Result<()> {
    // The kernel counts whole seconds.
    let interval = interval.max(Duration::from_secs(1));
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, interval)?;
    sockopt::set_tcp_keepintvl(&socket, interval)?;
    sockopt::set_tcp_keepcnt(&socket, PROBES)?;
    Ok(())
}
