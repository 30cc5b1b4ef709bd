//! Feeds a [`Handle`] from API objects: Ingresses become routes, Revisions and EndpointSlices become instances, Pods that
//! cannot start what is answered instead, and Routes that are not ready hosts that say so.
//!
//! The one place in this crate that knows the API. It only reads; what is served is told by [`Applied`].

mod applied;
mod instances;
mod obstacle;
mod pods;
mod revisions;
mod routes;
mod unready;

pub use self::applied::{Applied, Served};

use std::sync::Arc;

use futures::future::join3;
use objects::Client;

use crate::Handle;

/// Follows the API and keeps `handle` in step with it, until it is dropped.
///
/// [`Applied::synced`] is done once everything that was there at the start is known: before that, a route may be missing
/// only because it has not been listed yet.
pub async fn feed(client: Client, handle: Handle, applied: Arc<Applied>) {
    join3(
        routes::follow(&client, &handle, &applied),
        revisions::follow(&client, &handle, &applied),
        unready::follow(&client, &handle),
    )
    .await;
}
