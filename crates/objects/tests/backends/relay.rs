//! A TCP relay before an API server, so that connections can be counted, cut and refused.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

struct Shared {
    connections: Mutex<JoinSet<()>>,
    closed: AtomicBool,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { connections: Mutex::default(), closed: AtomicBool::new(false) });
        let mut accepting = JoinSet::new();
        accepting.spawn({
            let shared = Arc::clone(&shared);
            async move {
                loop {
                    let (mut client, _) = listener.accept().await.unwrap();
                    if shared.closed.load(Ordering::SeqCst) {
                        continue;
                    }
                    shared.connections.lock().spawn(async move {
                        let mut server = TcpStream::connect(server).await.unwrap();
                        _ = copy_bidirectional(&mut client, &mut server).await;
                    });
                }
            }
        });
        Self { address, shared, _accepting: accepting }
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.lock().len()
    }

    /// Ends every connection there is.
    pub(crate) fn cut(&self) {
        self.shared.connections.lock().abort_all();
    }

    /// Ends every connection there is and takes no new one.
    pub(crate) fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.cut();
    }

    pub(crate) fn open(&self) {
        self.shared.closed.store(false, Ordering::SeqCst);
    }
}
