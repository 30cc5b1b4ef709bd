//! Which requests are sent again, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use dataplane::Instance;
use http::{Method, Request, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::rig::{Gate, Rig, empty, eventually, get, instance, limited, revision};

/// An instance that answers when `gate` lets it, and whose connections die of `/poison`.
struct Fragile {
    instance: Instance,
    held: Arc<AtomicUsize>,
    poisoned: Arc<AtomicUsize>,
}

impl Fragile {
    async fn new(gate: &Arc<Gate>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let instance = instance(listener.local_addr().unwrap());
        let (held, poisoned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(gate), Arc::clone(&held), Arc::clone(&poisoned));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (gate, held, poisoned) = counts.clone();
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while let Ok(byte) = stream.read_u8().await {
                        head.push(byte);
                        if !head.ends_with(b"\r\n\r\n") {
                            continue;
                        }
                        if head.windows(7).any(|window| window == b"/poison") {
                            poisoned.fetch_add(1, SeqCst);
                            return;
                        }
                        held.fetch_add(1, SeqCst);
                        gate.pass().await;
                        head.clear();
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                    }
                });
            }
        });
        Self { instance, held, poisoned }
    }
}

#[tokio::test]
async fn what_kills_an_instance_is_repeated_once_at_most() {
    // (method, how often it goes out over connections that are kept)
    for (method, expect) in [(Method::GET, 2), (Method::POST, 1)] {
        let gate = Gate::closed();
        let instances = [Fragile::new(&gate).await, Fragile::new(&gate).await, Fragile::new(&gate).await];
        let rig = Rig::serving(limited(1), &[]).await;
        rig.handle.set_instances(
            &revision("hello-00001"),
            instances.iter().map(|fragile| fragile.instance.clone()).collect(),
        );
        // A connection to each of them is kept.
        let mut warm = tokio::task::JoinSet::new();
        for _ in &instances {
            let mut client = rig.client().await;
            warm.spawn(async move { client.read(get("/")).await.status });
        }
        let all_held = || instances.iter().all(|fragile| fragile.held.load(SeqCst) == 1);
        eventually("each of them has one", all_held).await;
        gate.admit(instances.len());
        assert!(warm.join_all().await.iter().all(|status| *status == StatusCode::OK));
        let request =
            Request::builder().method(&method).uri("/poison").header(header::HOST, crate::rig::HOST);
        let reply = rig.client().await.read(request.body(empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{method}");
        let sent: usize = instances.iter().map(|fragile| fragile.poisoned.load(SeqCst)).sum();
        assert_eq!(sent, expect, "{method}");
    }
}
