//! A client that reads a long list again and again, as a dashboard or a badly written controller does.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use rustls::{ClientConnection, Stream};
use rustls_pki_types::ServerName;

use crate::kubeconfig::Access;

/// The longest that it waits for bytes.
const IO_MAX: Duration = Duration::from_secs(30);
/// It gives way, so that what it costs itself is not taken for the server's cost.
const NICENESS: i32 = 10;

/// Lists until it is stopped. It looks at nothing of what it reads.
pub(crate) struct Lister {
    stop: Arc<AtomicBool>,
    lists: Arc<AtomicUsize>,
    thread: JoinHandle<Result<()>>,
}

impl Lister {
    /// Begins to list `path` of the API that a kubeconfig names.
    pub(crate) fn start(kubeconfig: &str, path: &'static str) -> Result<Self> {
        let access = Access::of(kubeconfig)?;
        let (stop, lists) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&lists));
        let thread = std::thread::spawn(move || {
            rustix::process::setpriority_process(None, NICENESS)?;
            while !stopped.load(Ordering::Relaxed) {
                list(&access, path)?;
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        Ok(Self { stop, lists, thread })
    }

    /// How many lists it has read so far.
    pub(crate) fn lists(&self) -> usize {
        self.lists.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the lister panicked"))?
    }
}

fn list(Access { address, tls }: &Access, path: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
    stream.set_read_timeout(Some(IO_MAX))?;
    let mut connection = ClientConnection::new(Arc::clone(tls), ServerName::from(address.ip()))?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    write!(tls, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut buffer = vec![0; 64 << 10];
    let read = tls.read(&mut buffer)?;
    let head = String::from_utf8_lossy(&buffer[..read.min(12)]).into_owned();
    ensure!(head == "HTTP/1.1 200", "{path} was answered {head:?}");
    while tls.read(&mut buffer)? > 0 {}
    Ok(())
}
