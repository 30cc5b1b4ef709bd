//! After a response 101 (WebSocket and its like): bytes both ways until one side ends.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, copy_bidirectional};

use crate::activator::Visit;
use crate::gateway::Connection;
use crate::queue::Link;

/// Two ends to be joined. The tunnel holds the request's slot as long as it lives; the revision's timeouts are about
/// responses and do not end it.
pub(super) struct Tunnel {
    pub(super) client: OnUpgrade,
    pub(super) link: Box<Link>,
    pub(super) visit: Visit,
}

/// Joins the ends as soon as the client has its response, in a task of their own. A draining listener waits for it.
pub(super) fn dig(tunnel: Tunnel, connection: &Arc<Connection>) {
    let Tunnel { client, link, visit } = tunnel;
    connection.detach(async move {
        let _visit = visit;
        let (client, (mut app, early)) = tokio::join!(client, link.upgraded());
        let mut client = match client {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(error) => {
                tracing::debug!(%error, "the client left before its upgrade");
                return;
            }
        };
        let joined = async {
            client.write_all(&early).await?;
            copy_bidirectional(&mut client, &mut app).await
        };
        if let Err(error) = joined.await {
            tracing::debug!(%error, "upgraded connection broke off");
        }
    });
}
