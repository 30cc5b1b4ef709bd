//! Connections into a pod: the socket is made inside the pod's network namespace, and used from outside.
//!
//! The first of them have sockets that were made with the sandbox. For all others a thread of its own enters the
//! namespace: that takes microseconds, but one that could not come back must not be one that serves others.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream as StdTcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use parking_lot::Mutex;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How many dials may wait for the thread. Each takes it some 10 µs, so this is a few milliseconds' worth.
const QUEUE_MAX: usize = 1024;

/// How many sockets of a pod wait to be used: however many were refused at once, they are made again soon enough.
const READY_MAX: usize = 2;

/// A pod's network.
#[derive(Debug)]
pub(super) struct Network {
    namespace: Arc<OwnedFd>,
    /// Sockets in it that are not connected.
    sockets: Mutex<Vec<OwnedFd>>,
}

struct Errand {
    namespace: Arc<OwnedFd>,
    answer: oneshot::Sender<io::Result<OwnedFd>>,
}

/// The thread that makes sockets in other namespaces. Ends when this is dropped.
pub(super) struct Dialer {
    errands: SyncSender<Errand>,
}

impl Network {
    /// The network of a namespace, with sockets in it that nobody has used.
    pub(super) fn new(namespace: OwnedFd, sockets: Vec<OwnedFd>) -> Self {
        Self { namespace: Arc::new(namespace), sockets: sockets.into() }
    }
}

impl Dialer {
    pub(super) fn start() -> io::Result<Self> {
        let (errands, receiver) = sync_channel(QUEUE_MAX);
        let home = OwnedFd::from(std::fs::File::open("/proc/self/ns/net")?);
        std::thread::Builder::new().name("dial".into()).spawn(move || run(&home, &receiver))?;
        Ok(Self { errands })
    }

    /// Connects to a port of the network's loopback.
    pub(super) async fn dial(&self, network: &Network, port: u16) -> io::Result<TcpStream> {
        let ready = network.sockets.lock().pop();
        let socket = match ready {
            Some(socket) => socket,
            None => self.make(Arc::clone(&network.namespace)).await?,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // On a loopback device the other end has answered by the time that this returns; being asked again, it tells how,
        // and a socket that was refused is as it was before.
        let told = match connect(&socket, &address) {
            Err(Errno::INPROGRESS) => connect(&socket, &address),
            told => told,
        };
        match told {
            Ok(()) => connected(socket),
            Err(Errno::ALREADY) => {
                let stream = connected(socket)?;
                stream.writable().await?;
                stream.take_error()?.map_or(Ok(stream), Err)
            }
            Err(errno) => {
                let mut ready = network.sockets.lock();
                if errno == Errno::CONNREFUSED && ready.len() < READY_MAX {
                    ready.push(socket);
                }
                Err(errno.into())
            }
        }
    }

    async fn make(&self, namespace: Arc<OwnedFd>) -> io::Result<OwnedFd> {
        let (answer, socket) = oneshot::channel();
        self.errands.try_send(Errand { namespace, answer }).map_err(|error| match error {
            TrySendError::Full(_) => io::Error::new(io::ErrorKind::WouldBlock, "too many dials at once"),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        socket.await.map_err(|_| stopped())?
    }
}

fn connected(socket: OwnedFd) -> io::Result<TcpStream> {
    let stream = TcpStream::from_std(StdTcpStream::from(socket))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn stopped() -> io::Error {
    io::Error::other("the dialing thread has ended, since it could not leave a pod's network")
}

fn run(home: &OwnedFd, errands: &Receiver<Errand>) {
    while let Ok(errand) = errands.recv() {
        let socket = socket_in(&errand.namespace);
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

fn socket_in(namespace: &OwnedFd) -> io::Result<OwnedFd> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    socket()
}

/// A socket in this thread's network that does not block.
pub(super) fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP))?)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_socket_that_was_refused_is_used_again() {
        let here = OwnedFd::from(std::fs::File::open("/proc/self/ns/net").unwrap());
        let network = Network::new(here, vec![socket().unwrap()]);
        let dialer = Dialer::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        for _ in 0..3 {
            let refused = dialer.dial(&network, port).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            assert_eq!(network.sockets.lock().len(), 1);
        }
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let stream = dialer.dial(&network, port).await.unwrap();
        assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
        assert!(network.sockets.lock().is_empty(), "it is a connection now");
    }
}
