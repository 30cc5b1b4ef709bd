//! What a runtime has: sandboxes and containers by name, each made once and removed once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::client::Running;
use super::{ContainerId, Result, RuntimeError, SandboxId};

/// Sandboxes, of which a runtime knows an `S`, and their containers.
pub(super) struct Registry<S> {
    state: Mutex<State<S>>,
}

struct State<S> {
    sandboxes: HashMap<SandboxId, S>,
    containers: HashMap<ContainerId, Container>,
}

struct Container {
    sandbox: SandboxId,
    phase: Phase,
}

enum Phase {
    /// The channel closes when the start has succeeded or failed.
    Starting(watch::Receiver<()>),
    Running(Running),
}

impl<S> Default for Registry<S> {
    fn default() -> Self {
        Self { state: Mutex::new(State { sandboxes: HashMap::new(), containers: HashMap::new() }) }
    }
}

impl<S> Registry<S> {
    pub(super) fn add_sandbox(&self, id: &SandboxId, sandbox: S) -> Result<()> {
        match self.state.lock().sandboxes.entry(id.clone()) {
            Entry::Occupied(_) => Err(RuntimeError::Exists { kind: "sandbox", id: id.to_string() }),
            Entry::Vacant(free) => {
                free.insert(sandbox);
                Ok(())
            }
        }
    }

    /// Gives `f` a sandbox.
    pub(super) fn sandbox<T>(&self, id: &SandboxId, f: impl FnOnce(&mut S) -> T) -> Result<T> {
        let mut state = self.state.lock();
        let sandbox = state.sandboxes.get_mut(id).map(f);
        sandbox.ok_or_else(|| RuntimeError::NotFound { kind: "sandbox", id: id.to_string() })
    }

    /// Whether there was one.
    pub(super) fn remove_sandbox(&self, id: &SandboxId) -> bool {
        self.state.lock().sandboxes.remove(id).is_some()
    }

    /// Adds what an earlier daemon had.
    pub(super) fn adopt(&self, id: &SandboxId, sandbox: Option<S>, containers: Vec<(ContainerId, Running)>) {
        let mut state = self.state.lock();
        state.sandboxes.extend(sandbox.map(|sandbox| (id.clone(), sandbox)));
        state.containers.extend(containers.into_iter().map(|(container, running)| {
            (container, Container { sandbox: id.clone(), phase: Phase::Running(running) })
        }));
    }

    /// Takes a name for a container that is about to be started.
    pub(super) fn reserve(&self, id: &ContainerId, sandbox: &SandboxId) -> Result<Reservation<'_, S>> {
        let mut state = self.state.lock();
        if !state.sandboxes.contains_key(sandbox) {
            return Err(RuntimeError::NotFound { kind: "sandbox", id: sandbox.to_string() });
        }
        match state.containers.entry(id.clone()) {
            Entry::Occupied(_) => Err(RuntimeError::Exists { kind: "container", id: id.to_string() }),
            Entry::Vacant(free) => {
                let (finished, starting) = watch::channel(());
                free.insert(Container { sandbox: sandbox.clone(), phase: Phase::Starting(starting) });
                Ok(Reservation { registry: self, id: id.clone(), started: false, _finished: finished })
            }
        }
    }

    /// Gives `f` a container that has been started.
    pub(super) fn running<T>(&self, id: &ContainerId, f: impl FnOnce(&Running) -> T) -> Result<T> {
        match self.state.lock().containers.get(id).map(|container| &container.phase) {
            Some(Phase::Running(running)) => Ok(f(running)),
            _ => Err(RuntimeError::NotFound { kind: "container", id: id.to_string() }),
        }
    }

    /// Waits until a container is no longer being started.
    pub(super) async fn settled(&self, id: &ContainerId) {
        let starting = match self.state.lock().containers.get(id).map(|container| &container.phase) {
            Some(Phase::Starting(starting)) => Some(starting.clone()),
            _ => None,
        };
        if let Some(mut starting) = starting {
            // An error is what it waits for: nothing is ever sent.
            let _ = starting.changed().await;
        }
    }

    /// Frees the name of a run that has been removed. By now, a later run may have it: that one keeps it.
    pub(super) fn forget(&self, id: &ContainerId, slot: u64) {
        if let Entry::Occupied(entry) = self.state.lock().containers.entry(id.clone())
            && matches!(&entry.get().phase, Phase::Running(running) if running.slot == slot)
        {
            entry.remove();
        }
    }

    /// The containers of a sandbox.
    pub(super) fn containers_of(&self, sandbox: &SandboxId) -> Vec<ContainerId> {
        let state = self.state.lock();
        let of_it = state.containers.iter().filter(|(_, container)| container.sandbox == *sandbox);
        of_it.map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn clear(&self) {
        let mut state = self.state.lock();
        state.containers.clear();
        state.sandboxes.clear();
    }
}

/// A name taken for a start; free again when this is dropped without one.
pub(super) struct Reservation<'a, S> {
    registry: &'a Registry<S>,
    id: ContainerId,
    started: bool,
    _finished: watch::Sender<()>,
}

impl<S> Reservation<'_, S> {
    /// The start has succeeded.
    pub(super) fn started(mut self, running: Running) {
        self.started = true;
        // Gone only if the runtime was shut down meanwhile, which kills all.
        if let Some(container) = self.registry.state.lock().containers.get_mut(&self.id) {
            container.phase = Phase::Running(running);
        }
    }
}

impl<S> Drop for Reservation<'_, S> {
    fn drop(&mut self) {
        if !self.started {
            self.registry.state.lock().containers.remove(&self.id);
        }
    }
}
