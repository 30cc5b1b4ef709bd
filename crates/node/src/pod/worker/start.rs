//! One run of a container: its start, its probes, its end.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use images::{ImageConfig, Reference};
use resources::{
    Object,
    builtin::{Container, Pod},
    container_reasons::{
        CONTAINER_CANNOT_RUN, CREATE_CONTAINER_CONFIG_ERROR, ERR_IMAGE_NEVER_PULL, ERR_IMAGE_PULL,
        IMAGE_PULL_BACK_OFF, INVALID_IMAGE_NAME,
    },
    reserved::QUEUE_PROXY_IMAGE,
};

use super::{Happening, prepare::Prepared, told};
use crate::{
    logs::LogId,
    pod::{
        backoff::Obstacle,
        built_in,
        env::{self, Surroundings},
        etc,
        image::Failure,
        kubelet::Shared,
        spec::{self, Plan, VolumeMount},
        state::{Record, Running, State},
        termination,
        values::Values,
    },
    probe::{FineTimer, Probe, attempt},
    runtime::{BindMount, ContainerId, ContainerSpec, Exit, Parting, RuntimeError, SandboxId, take_mount},
};

/// Where a container may leave a message, if its spec does not say.
const MESSAGE_PATH: &str = "/dev/termination-log";
/// How long a container's end waits for the last of its output, which may be its message.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);
/// How readily the kernel ends an app rather than the daemon.
const OOM_SCORE_ADJ: i32 = 500;

/// A run that has begun.
pub(super) struct Run {
    /// `None` for a container that the node itself is.
    pub(super) id: Option<ContainerId>,
    pub(super) image_id: String,
    pub(super) probes: Vec<Probe>,
    /// What the runtime does not honour.
    pub(super) unsupported: Vec<&'static str>,
    /// Its image came from its registry just now.
    pub(super) was_pulled: bool,
}

/// Starts a container of a prepared pod.
pub(super) async fn start(
    shared: Arc<Shared>,
    pod: Arc<Pod>,
    container: Container,
    run: u32,
    prepared: Arc<Prepared>,
) -> Result<Run, Failure> {
    if built_in::is_built_in(&container) {
        return start_built_in(&container);
    }
    let name = container.image.clone().unwrap_or_default();
    let policy = container.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
    let image = shared.images.get(&shared.client, &pod, &name, policy).await?;
    let (was_pulled, image_id) = (image.was_pulled, image.id);
    let plan = plan(&shared, &pod, &container, &image.lease.config, &prepared).await?;

    let id = container_id(&pod, &container.name, run);
    let log = LogId { pod: pod.uid().to_owned(), container: container.name.clone(), run };
    let (pipes, _) =
        shared.logs.begin(log).map_err(|error| cannot_run("opening the container's log", &error))?;
    let (mounts, taken) = take_mounts(plan.mounts)?;
    let spec = ContainerSpec {
        id: id.clone(),
        sandbox: SandboxId::from(pod.uid().to_owned()),
        rootfs: image.rootfs,
        readonly_rootfs: plan.readonly_rootfs,
        argv: plan.argv,
        env: plan.env,
        cwd: plan.cwd,
        user: plan.user,
        mounts,
        taken,
        tmpfs: Vec::new(),
        files: etc::files(&pod, &prepared.hostname, prepared.address, &shared.options.resolv_conf),
        message_path: Some(container.termination_message_path.as_deref().unwrap_or(MESSAGE_PATH).into()),
        resources: plan.resources,
        capabilities: plan.capabilities,
        no_new_privileges: plan.no_new_privileges,
        seccomp: plan.seccomp,
        oom_score_adj: OOM_SCORE_ADJ,
        stdout: pipes.stdout,
        stderr: pipes.stderr,
        readers: Some(pipes.readers),
        content: image.lease.digest.to_string(),
    };
    let shown = told::Shown::of(&spec.rootfs, &spec.files, &spec.mounts);
    let mut unsupported = shared.runtime.unsupported(&spec);
    unsupported.retain(|field| asks_for(&container, field));
    let started = shared.runtime.start_container(spec).await;
    let started = started.map_err(|error| {
        tracing::debug!(pod = %pod.key(), %error, "could not start a container");
        Failure::new(error.reason(), told::of_container(&error, &container.name, &shown))
    })?;
    tracing::debug!(container = %id, timings = ?started.timings, "started");
    shared.images.hold(&id, image.lease);
    Ok(Run { id: Some(id), image_id, probes: spec::probes(&container), unsupported, was_pulled })
}

/// The node is this container itself, and only asks the app's probe for it.
fn start_built_in(container: &Container) -> Result<Run, Failure> {
    let readiness = built_in::readiness(container).map_err(config_error)?;
    Ok(Run {
        id: None,
        image_id: QUEUE_PROXY_IMAGE.to_owned(),
        probes: vec![readiness],
        unsupported: Vec::new(),
        was_pulled: false,
    })
}

/// What the container is, with the values that its spec names.
async fn plan(
    shared: &Shared,
    pod: &Pod,
    container: &Container,
    image: &ImageConfig,
    prepared: &Prepared,
) -> Result<Plan, Failure> {
    let values = Values::of_container(&shared.client, pod, container).await;
    let values = values.map_err(|error| config_error(error.to_string()))?;
    let address = prepared.address.to_string();
    let surroundings = Surroundings { address: &address, allocatable: shared.options.allocatable };
    let own = env::environment(pod, container, &values, &surroundings).map_err(|missing| Failure {
        seen: Box::new(values.seen().clone()),
        ..config_error(missing.to_string())
    })?;
    let mut variables = vec![("HOSTNAME".to_owned(), prepared.hostname.clone())];
    variables.extend(own);
    spec::plan(pod, container, image, variables, &prepared.volumes)
        .map_err(|missing| config_error(missing.to_string()))
}

/// The mounts as the container's shell finds them, and the descriptors that some of them go by.
fn take_mounts(mounts: Vec<VolumeMount>) -> Result<(Vec<BindMount>, Vec<OwnedFd>), Failure> {
    let (mut shown, mut taken) = (Vec::new(), Vec::new());
    for VolumeMount { bind, is_mount } in mounts {
        if !is_mount {
            shown.push(bind);
            continue;
        }
        let (bind, descriptor) =
            take_mount(bind).map_err(|error| cannot_run("taking a memory volume", &error))?;
        shown.push(bind);
        taken.push(descriptor);
    }
    Ok((shown, taken))
}

fn config_error(message: String) -> Failure {
    Failure::new(CREATE_CONTAINER_CONFIG_ERROR, message)
}

/// The node could not do its own part, which says nothing of the container.
fn cannot_run(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(CONTAINER_CANNOT_RUN, format!("{what}: {error}"))
}

/// Whether a field that the runtime leaves out is the container's wish, and not only the node's.
fn asks_for(container: &Container, field: &str) -> bool {
    match field {
        "resources.limits" => {
            let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
            limits.is_some_and(|limits| !limits.is_empty())
        }
        _ => true,
    }
}

/// The name of a container's run.
pub(crate) fn container_id(pod: &Pod, container: &str, run: u32) -> ContainerId {
    ContainerId::from(format!("{}-{container}-{run}", pod.uid()))
}

/// Which run of the container this is the name of, if it is one.
pub(super) fn run_of(id: &ContainerId, pod: &Pod, container: &str) -> Option<u32> {
    id.as_str()
        .strip_prefix(pod.uid())?
        .strip_prefix('-')?
        .strip_prefix(container)?
        .strip_prefix('-')?
        .parse()
        .ok()
}

/// Waits for the end of a run, and reads the message it left.
pub(super) fn wait(
    shared: &Arc<Shared>,
    pod: &Arc<Pod>,
    container: &Container,
    id: ContainerId,
    run: u32,
) -> impl Future<Output = (Exit, String)> + Send + use<> {
    let (shared, container) = (Arc::clone(shared), container.clone());
    let log = LogId { pod: pod.uid().to_owned(), container: container.name.clone(), run };
    async move {
        let exit = match shared.runtime.wait(&id).await {
            Ok(exit) => exit,
            // It runs, for the daemon after this one: nobody may take it for ended, and least of all remove it.
            Err(RuntimeError::KeeperGone) if shared.runtime.ended().await == Parting::LetGo => {
                return std::future::pending().await;
            }
            Err(error) => {
                tracing::warn!(container = %id, %error, "lost a container");
                Exit { code: 137, signal: Some(9), oom_killed: false }
            }
        };
        shared.logs.stored(&log, LAST_WORDS_MAX).await;
        let message = termination::message(&shared, &container, &id, log, exit).await;
        if let Err(error) = shared.runtime.remove_container(&id).await {
            tracing::warn!(container = %id, %error, "could not remove a container that ended; it is tried again with its pod");
        }
        shared.images.release(&id);
        (exit, message)
    }
}

/// One try of a probe at its time.
pub(super) fn probe(
    shared: &Arc<Shared>,
    sandbox: &SandboxId,
    running: &Running,
    index: usize,
    round: u32,
    at: usize,
    first: bool,
) -> BoxFuture<'static, Happening> {
    let probe = &running.probes[at];
    let wait = probe.wait((!first).then(|| running.since.elapsed()));
    let (target, limit) = (probe.target.clone(), probe.schedule.timeout);
    let (shared, sandbox, id) = (Arc::clone(shared), sandbox.clone(), running.id.clone());
    async move {
        if !wait.is_zero() {
            wait_for_try(wait).await;
        }
        let outcome = attempt(&*shared.runtime, &sandbox, id.as_ref(), &target, limit).await;
        Happening::Probed { index, round, probe: at, outcome }
    }
    .boxed()
}

/// Notes a start that failed; the returned future is done when it is worth another try.
pub(super) fn failed(
    shared: &Arc<Shared>,
    pod: &Pod,
    record: &mut Record,
    failure: &Failure,
) -> impl Future<Output = ()> + Send + use<> {
    let again = matches!(&record.state, State::Waiting { reason: ERR_IMAGE_PULL | IMAGE_PULL_BACK_OFF, .. });
    let (reason, message) = match failure.reason {
        ERR_IMAGE_PULL if again => {
            (IMAGE_PULL_BACK_OFF, format!("Back-off pulling image: {}", failure.message))
        }
        reason => (reason, failure.message.clone()),
    };
    record.state = State::waiting(reason, message);
    let obstacle = match failure.reason {
        CREATE_CONTAINER_CONFIG_ERROR | INVALID_IMAGE_NAME | ERR_IMAGE_NEVER_PULL => Obstacle::Config,
        _ => Obstacle::Machine,
    };
    let wait = record.start_backoff.after(obstacle);
    let image = record.spec.image.as_deref().and_then(|image| image.parse::<Reference>().ok());
    let images =
        matches!(failure.reason, ERR_IMAGE_PULL | ERR_IMAGE_NEVER_PULL).then(|| shared.images.store.clone());
    let changed = failure.seen.clone().changed(shared.client.clone(), pod.namespace().to_owned());
    async move {
        let appears = async {
            match (images, image) {
                (Some(store), Some(image)) => drop(store.wait_for(&image).await),
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = appears => {}
            () = changed => {}
        }
    }
}

/// Waits for the time of a probe's next try; a fine timer where a millisecond is long.
async fn wait_for_try(wait: Duration) {
    if wait >= Duration::from_millis(5) {
        return tokio::time::sleep(wait).await;
    }
    let waited = match FineTimer::new() {
        Ok(mut timer) => timer.wait(wait).await,
        Err(error) => Err(error),
    };
    if waited.is_err() {
        tokio::time::sleep(wait).await;
    }
}
