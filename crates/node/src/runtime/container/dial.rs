//! Connections into a pod: the socket is made inside the pod's network namespace, and used from outside.
//!
//! Entering a namespace takes microseconds, but is done by a thread of its own: one that could not come back must not
//! be one that serves others.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdTcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

/// How many dials may wait for the thread. Each takes it some 10 µs, so this is a few milliseconds' worth.
const QUEUE_MAX: usize = 1024;

struct Errand {
    network: Arc<OwnedFd>,
    answer: oneshot::Sender<io::Result<OwnedFd>>,
}

/// The thread that makes sockets in other namespaces. Ends when this is dropped.
pub(super) struct Dialer {
    errands: SyncSender<Errand>,
}

impl Dialer {
    pub(super) fn start() -> io::Result<Self> {
        let (errands, receiver) = sync_channel(QUEUE_MAX);
        let home = OwnedFd::from(std::fs::File::open("/proc/self/ns/net")?);
        std::thread::Builder::new().name("dial".into()).spawn(move || run(&home, &receiver))?;
        Ok(Self { errands })
    }

    /// Connects to a port of the namespace's loopback.
    pub(super) async fn dial(&self, network: Arc<OwnedFd>, port: u16) -> io::Result<TcpStream> {
        let (answer, socket) = oneshot::channel();
        self.errands.try_send(Errand { network, answer }).map_err(|error| match error {
            TrySendError::Full(_) => io::Error::new(io::ErrorKind::WouldBlock, "too many dials at once"),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        let socket = socket.await.map_err(|_| stopped())??;
        let socket = TcpSocket::from_std_stream(StdTcpStream::from(socket));
        let stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

fn stopped() -> io::Error {
    io::Error::other("the dialing thread has ended, since it could not leave a pod's network")
}

fn run(home: &OwnedFd, errands: &Receiver<Errand>) {
    while let Ok(errand) = errands.recv() {
        let socket = socket_in(&errand.network);
        // Back at once: a namespace lives as long as a thread is in it.
        let back = move_into_link_name_space(home.as_fd(), Some(LinkNameSpaceType::Network));
        // Whoever asked may have given up.
        let _ = errand.answer.send(socket);
        if let Err(error) = back {
            tracing::error!(%error, "leaving a pod's network");
            return;
        }
    }
}

fn socket_in(network: &OwnedFd) -> io::Result<OwnedFd> {
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP))?)
}
