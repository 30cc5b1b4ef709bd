//! How far the disk has come, and who waits for it.

use std::sync::Arc;

use tokio::sync::watch;

use super::value::Version;
use crate::{Error, Result};

#[derive(Clone, Default)]
struct State {
    durable: Version,
    failure: Option<Arc<Error>>,
    closed: bool,
}

pub(super) struct Progress {
    state: watch::Sender<State>,
}

impl Progress {
    pub(super) fn new(durable: Version) -> Self {
        Self { state: watch::Sender::new(State { durable, ..State::default() }) }
    }

    pub(super) fn durable(&self) -> Version {
        self.state.borrow().durable
    }

    /// Everything up to `version` is on disk.
    pub(super) fn advance(&self, version: Version) {
        self.state.send_if_modified(|state| {
            let advanced = version > state.durable;
            state.durable = state.durable.max(version);
            advanced
        });
    }

    /// Nothing will be acknowledged any more. Only the first cause is kept; returns whether this is it.
    pub(super) fn fail(&self, cause: Arc<Error>) -> bool {
        self.state.send_if_modified(|state| {
            let first = state.failure.is_none();
            state.failure.get_or_insert(cause);
            first
        })
    }

    /// Nothing more will be written.
    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    pub(super) fn check(&self) -> Result<()> {
        match &self.state.borrow().failure {
            Some(cause) => Err(Error::Failed(cause.clone())),
            None => Ok(()),
        }
    }

    pub(super) async fn reached(&self, version: Version) -> Result<()> {
        let mut state = self.state.subscribe();
        let reached = state.wait_for(|s| s.failure.is_some() || s.durable >= version || s.closed).await;
        // The sender is `self.state`, so it cannot be gone.
        let state = reached.map_err(|_| Error::Closed)?;
        match &state.failure {
            Some(cause) => Err(Error::Failed(cause.clone())),
            None if state.durable >= version => Ok(()),
            None => Err(Error::Closed),
        }
    }
}
