//! After a response 101 (WebSocket and its like): bytes both ways until one side ends, or none for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::time::sleep;

use crate::activator::Visit;
use crate::gateway::Connection;
use crate::on_read::OnRead;
use crate::queue::Link;

/// How often a tunnel is looked at within the time that it may be idle.
const LOOKS: u32 = 4;

/// Two ends to be joined. The tunnel holds the request's slot as long as it lives; the revision's timeouts are about
/// responses and do not end it.
pub(super) struct Tunnel {
    pub(super) client: OnUpgrade,
    pub(super) link: Box<Link>,
    pub(super) visit: Visit,
    pub(super) idle_max: Duration,
}

/// Joins the ends as soon as the client has its response, in a task of their own. A draining listener waits for it.
pub(super) fn spawn(tunnel: Tunnel, connection: &Arc<Connection>) {
    let Tunnel { client, link, visit, idle_max } = tunnel;
    connection.detach(async move {
        let _visit = visit;
        let (client, (app, early)) = tokio::join!(client, link.upgraded());
        let client = match client {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(error) => {
                tracing::debug!(%error, "the client left before its upgrade");
                return;
            }
        };
        let reads = AtomicU32::new(0);
        let count = || {
            reads.fetch_add(1, Relaxed);
        };
        let (mut client, mut app) = (OnRead::new(client, count), OnRead::new(app, count));
        let joined = async {
            client.write_all(&early).await?;
            copy_bidirectional(&mut client, &mut app).await
        };
        tokio::select! {
            ended = joined => if let Err(error) = ended {
                tracing::debug!(%error, "upgraded connection broke off");
            },
            () = idle(&reads, idle_max) => {
                tracing::debug!(seconds = idle_max.as_secs_f64(), "closing an upgraded connection that is idle");
            }
        }
    });
}

/// Ends when `reads` has not changed for `max`.
async fn idle(reads: &AtomicU32, max: Duration) {
    let (mut seen, mut looks) = (reads.load(Relaxed), 0);
    while looks < LOOKS {
        sleep(max / LOOKS).await;
        let now = reads.load(Relaxed);
        looks = if now == seen { looks + 1 } else { 0 };
        seen = now;
    }
}
