//! From a crash to the first success of `/readyz`.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::timeout;

use super::side::Side;
use crate::{http2::Connection, kubeconfig::Access, pace};

/// The longest that a server may take to be ready.
const READY_MAX: Duration = Duration::from_secs(120);
/// Between two attempts.
const LOOK: Duration = Duration::from_millis(2);

/// How long a server takes that is killed and started again.
pub(super) async fn after_a_crash(side: &mut Side) -> Result<Duration> {
    let began = side.crash()?;
    until_ready(&side.access).await?;
    let took = began.elapsed();
    side.connect().await?;
    Ok(took)
}

/// Waits until a server that starts is ready.
pub(super) async fn until_ready(access: &Access) -> Result<()> {
    let ready = timeout(READY_MAX, ready(access)).await;
    ready.with_context(|| {
        format!("the API at {} was not ready within {} s", access.address, READY_MAX.as_secs())
    })?
}

/// Asks over one connection for as long as it is answered: handshakes would keep the server from its work.
async fn ready(access: &Access) -> Result<()> {
    loop {
        // Whatever goes wrong before the first success is what happens while a server starts.
        if let Ok(connection) = Connection::open(access).await {
            while let Ok(status) = connection.status("/readyz").await {
                if status.is_success() {
                    return Ok(());
                }
                pace::rest(LOOK).await?;
            }
        }
        pace::rest(LOOK).await?;
    }
}
