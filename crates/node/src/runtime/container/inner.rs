//! The work of the container runtime: asking the keeper, and removing what has ended.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::copies;
use crate::removals::Removals;
use crate::runtime::cgroup::{self, Cgroups};
use crate::runtime::client::{self, Client, Inventory, KILL_TIMEOUT, Running};
use crate::runtime::dial::{Dialer, Network};
use crate::runtime::keeper::slot;
use crate::runtime::protocol::{ContainerOrder, Note, Request, Root, Rootfs};
use crate::runtime::registry::Registry;
use crate::runtime::taken_over::Legacy;
use crate::runtime::{
    ContainerId, ContainerSpec, Parting, Result, RuntimeError, SandboxId, SandboxSpec, Started, Stats, sys,
};

/// A sandbox's network, once the keeper has made it.
type Made = Option<Arc<Network>>;

pub(super) struct Inner {
    pub(super) client: Arc<Client>,
    cgroups: Arc<dyn Cgroups>,
    run_dir: PathBuf,
    overlay: bool,
    /// The number of the next copied image.
    copies: AtomicU64,
    pub(super) dialer: Dialer,
    registry: Registry<Made>,
    removals: Removals,
    pub(super) legacy: Legacy,
}

impl Inner {
    pub(super) fn new(
        client: Arc<Client>,
        cgroups: Box<dyn Cgroups>,
        run_dir: PathBuf,
        overlay: bool,
        dialer: Dialer,
    ) -> Self {
        let (copies, registry, legacy) = (AtomicU64::new(0), Registry::default(), Legacy::default());
        let (cgroups, removals) = (cgroups.into(), Removals::default());
        Self { client, cgroups, run_dir, overlay, copies, dialer, registry, removals, legacy }
    }

    /// Takes in what the keeper had of an earlier daemon.
    pub(super) fn adopt(&self, inventory: Inventory) -> io::Result<()> {
        let held: Vec<_> = inventory.containers.iter().filter_map(|kept| kept.note.copy.clone()).collect();
        let next = copies::clean(&self.run_dir.join(slot::DIRECTORY), &held)?;
        self.copies.store(next, Ordering::Relaxed);
        self.legacy.fill(inventory, |id, mut estate| {
            let network = estate.network.take();
            let network = network.map(|namespace| Some(Arc::new(Network::new(namespace, Vec::new()))));
            self.registry.adopt(id, network, estate.running());
        });
        Ok(())
    }

    pub(super) async fn create_sandbox(&self, spec: SandboxSpec) -> Result<()> {
        let id = spec.id.clone();
        self.registry.add_sandbox(&id, None)?;
        match self.client.create_sandbox(spec).await {
            Ok(mut fds) => {
                let namespace = (!fds.is_empty()).then(|| fds.remove(0));
                let network = namespace.map(|namespace| Arc::new(Network::new(namespace, fds)));
                self.registry.sandbox(&id, |sandbox| *sandbox = network)
            }
            Err(error) => {
                self.registry.remove_sandbox(&id);
                self.client.forget_sandbox(&id).await;
                Err(error)
            }
        }
    }

    /// Starts in a task of its own, so that a caller who gives up leaves a container that can be removed.
    pub(super) async fn start_container(self: Arc<Self>, spec: ContainerSpec) -> Result<Started> {
        validate(&spec)?;
        let task = tokio::spawn(async move {
            let reservation = self.registry.reserve(&spec.id, &spec.sandbox)?;
            let running = self.ask_for(spec).await?;
            let started = running.started();
            reservation.started(running);
            Ok(started)
        });
        task.await.map_err(|error| RuntimeError::io("starting a container", io::Error::other(error)))?
    }

    async fn ask_for(&self, spec: ContainerSpec) -> Result<Running> {
        let ContainerSpec { id, sandbox, rootfs, readonly_rootfs, argv, env, cwd, user, .. } = spec;
        let copy = if self.overlay { None } else { Some(self.copy(&id, &rootfs).await?) };
        let rootfs = copy.clone().map_or(Rootfs::Overlay(rootfs), Rootfs::Copy);
        let (files, contents) = spec.files.into_iter().map(|file| (file.target, file.content)).unzip();
        let root = Root { rootfs, files, message: spec.message_path };
        let order = ContainerOrder {
            contents,
            readonly_rootfs,
            argv,
            env,
            cwd,
            user,
            mounts: spec.mounts,
            tmpfs: spec.tmpfs,
            capabilities: spec.capabilities.bits(),
            no_new_privileges: spec.no_new_privileges,
            seccomp: spec.seccomp,
            oom_score_adj: spec.oom_score_adj,
        };
        let order = serde_json::to_vec(&order).map_err(|error| RuntimeError::Invalid {
            container: id.to_string(),
            reason: error.to_string(),
        })?;
        let note = Note {
            container: id.to_string(),
            sandbox: sandbox.to_string(),
            copy: copy.clone(),
            ports: None,
            content: spec.content,
        };
        let (resources, sent) = (spec.resources, sys::monotonic());
        let request = |request, note| Request::StartContainer { request, note, root, resources, sent };
        let output: Vec<_> =
            [spec.stdout, spec.stderr].into_iter().chain(spec.readers.into_iter().flatten()).collect();
        match self.client.start_container(request, note, &order, &output, spec.taken).await {
            Ok(running) => Ok(running),
            Err(error) => {
                self.remove_copy(&id, copy).await?;
                Err(error)
            }
        }
    }

    pub(super) fn running<T>(&self, id: &ContainerId, f: impl FnOnce(&Running) -> T) -> Result<T> {
        self.registry.running(id, f)
    }

    pub(super) fn network(&self, id: &SandboxId) -> Result<Arc<Network>> {
        let made = self.registry.sandbox(id, |network| network.clone())?;
        made.ok_or_else(|| RuntimeError::NotFound { kind: "sandbox", id: id.to_string() })
    }

    pub(super) fn stats(&self, id: &ContainerId) -> Result<Stats> {
        let slot = self.running(id, |running| running.slot)?;
        let read = self.cgroups.stats(&slot::name(slot));
        read.map_err(|error| RuntimeError::io(format!("reading the cgroup of container {id}"), error))
    }

    pub(super) async fn remove_container(&self, id: &ContainerId) -> Result<()> {
        self.registry.settled(id).await;
        // From here on, all is about this run: when somebody else removes it at the same time, the next run may have
        // its name before this is done.
        let run = |running: &Running| {
            (running.slot, running.exit.clone(), running.copy.clone(), running.signal(libc::SIGKILL))
        };
        let Ok((slot, exit, copy, killed)) = self.running(id, run) else { return Ok(()) };
        killed?;
        let ended = tokio::time::timeout(KILL_TIMEOUT, client::wait(exit)).await;
        let failed = |error| RuntimeError::io(format!("removing container {id}"), error);
        let _exit = ended.map_err(|_| {
            failed(io::Error::new(
                io::ErrorKind::TimedOut,
                "a process of it does not end after SIGKILL, or the keeper is stopped and does not tell",
            ))
        })??;
        let cgroups = Arc::clone(&self.cgroups);
        let directory = self.run_dir.join(slot::DIRECTORY).join(slot::name(slot));
        let removal = self.removals.run(move || {
            cgroup::kill_and_remove(&*cgroups, &slot::name(slot))?;
            slot::remove_directory(&directory)
        });
        removal.await.map_err(failed)?;
        self.remove_copy(id, copy).await?;
        self.registry.forget(id, slot);
        self.client.forget(slot).await
    }

    pub(super) async fn remove_sandbox(&self, id: &SandboxId) -> Result<()> {
        let mut outcome = Ok(());
        for container in self.registry.containers_of(id) {
            outcome = outcome.and(self.remove_container(&container).await);
        }
        if self.registry.remove_sandbox(id) {
            outcome = outcome.and(self.client.remove_sandbox(id).await);
        }
        outcome
    }

    pub(super) async fn ended(&self) -> Parting {
        self.client.ended().await
    }

    pub(super) async fn shutdown(&self) -> Result<()> {
        self.registry.clear();
        self.client.end().await
    }

    async fn copy(&self, id: &ContainerId, layers: &[PathBuf]) -> Result<PathBuf> {
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let into = self.run_dir.join(slot::DIRECTORY).join(copies::name(number));
        let (layers, target) = (layers.to_vec(), into.clone());
        let copied = tokio::task::spawn_blocking(move || copies::flatten(&layers, &target)).await;
        match copied.map_err(io::Error::other).flatten() {
            Ok(()) => Ok(into),
            Err(error) => {
                self.remove_copy(id, Some(into)).await?;
                Err(RuntimeError::io(format!("copying the image of container {id}"), error))
            }
        }
    }

    async fn remove_copy(&self, id: &ContainerId, copy: Option<PathBuf>) -> Result<()> {
        let Some(copy) = copy else { return Ok(()) };
        let removed = self.removals.run(move || slot::remove_directory(&copy)).await;
        removed
            .map_err(|error| RuntimeError::io(format!("removing the copied image of container {id}"), error))
    }
}

/// Refuses what would fail later with a worse message, or do something else than asked.
fn validate(spec: &ContainerSpec) -> Result<()> {
    let mounts = spec.mounts.iter().map(|mount| &mount.target);
    let own = spec.files.iter().map(|file| &file.target).chain(&spec.message_path);
    let targets = mounts.chain(spec.tmpfs.iter().map(|mount| &mount.target)).chain(own);
    let reason = if spec.argv.is_empty() {
        "no command: neither the container nor its image names one".to_owned()
    } else if spec.rootfs.is_empty() {
        "its image has no layers".to_owned()
    } else if !spec.cwd.is_empty() && !spec.cwd.starts_with('/') {
        format!("working directory {:?} is not an absolute path", spec.cwd)
    } else if let Some(target) = targets.into_iter().find(|target| !target.is_absolute()) {
        format!("mount path {:?} is not an absolute path", target)
    } else if spec.id.as_str().contains('/') || spec.id.as_str().is_empty() {
        "its identifier is empty or has a slash".to_owned()
    } else {
        return Ok(());
    };
    Err(RuntimeError::Invalid { container: spec.id.to_string(), reason })
}
