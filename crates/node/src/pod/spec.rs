//! From a pod's container and its image to what the runtime starts. Pure (upstream: kubernetes, kubelet container config).

use std::{
    collections::BTreeMap,
    path::{Component, PathBuf},
};

use images::ImageConfig;
use resources::{
    builtin::{Container, ExecAction, HTTPGetAction, Pod, Probe as ProbeSpec, SecurityContext},
    capability,
    meta::{IntOrString, Quantity},
    quantity,
};

use super::{env, values::Missing, volumes::Volumes};
use crate::{
    probe::{Kind, Probe, Schedule, Target},
    runtime::{BindMount, Capabilities, Resources, Seccomp, User},
};

/// The most processes and threads of a container (Kubernetes leaves this to the node).
const PIDS_MAX: u64 = 32_768;

/// What a container is, but for its root, its streams and its names.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) argv: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: String,
    pub(super) user: User,
    pub(super) mounts: Vec<VolumeMount>,
    pub(super) resources: Resources,
    pub(super) capabilities: Capabilities,
    pub(super) no_new_privileges: bool,
    pub(super) seccomp: Seccomp,
    pub(super) readonly_rootfs: bool,
}

/// A volume as a container sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VolumeMount {
    pub(super) bind: BindMount,
    /// See [`Laid::is_mount`](super::volumes::Laid::is_mount).
    pub(super) is_mount: bool,
}

/// Works out what a container is.
pub(super) fn plan(
    pod: &Pod,
    container: &Container,
    image: &ImageConfig,
    variables: Vec<(String, String)>,
    volumes: &Volumes,
) -> Result<Plan, Missing> {
    let context = container.security_context.clone().unwrap_or_default();
    let env = environment(image, variables);
    let known: BTreeMap<_, _> = env.iter().cloned().collect();
    let argv = argv(container, image).iter().map(|text| env::expand(text, &known)).collect::<Vec<_>>();
    if argv.is_empty() {
        return Err(Missing("no command: neither the image nor the container names a program".to_owned()));
    }
    if context.privileged == Some(true) {
        return Err(Missing("privileged containers are not supported by this node".to_owned()));
    }
    Ok(Plan {
        argv,
        cwd: container.working_dir.clone().unwrap_or_else(|| image.working_dir.clone()),
        user: user(pod, &context, image)?,
        mounts: mounts(container, &env, volumes)?,
        resources: limits(container),
        capabilities: capabilities(&context)?,
        no_new_privileges: context.allow_privilege_escalation == Some(false),
        seccomp: seccomp(pod, &context)?,
        readonly_rootfs: context.read_only_root_filesystem.unwrap_or(false),
        env,
    })
}

/// `command` replaces the image's entrypoint and its cmd; `args` replaces the cmd.
fn argv(container: &Container, image: &ImageConfig) -> Vec<String> {
    let command = container.command.clone().filter(|command| !command.is_empty());
    let args = container.args.clone().filter(|args| !args.is_empty());
    match (command, args) {
        (Some(command), args) => command.into_iter().chain(args.unwrap_or_default()).collect(),
        (None, Some(args)) => image.entrypoint.iter().cloned().chain(args).collect(),
        (None, None) => image.entrypoint.iter().chain(&image.cmd).cloned().collect(),
    }
}

/// The image's variables, replaced and followed by the container's.
fn environment(image: &ImageConfig, variables: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut all: BTreeMap<_, _> = image.env.iter().cloned().collect();
    all.extend(variables);
    all.into_iter().collect()
}

fn user(pod: &Pod, context: &SecurityContext, image: &ImageConfig) -> Result<User, Missing> {
    let pod = pod.spec.as_ref().and_then(|spec| spec.security_context.clone()).unwrap_or_default();
    let id = |name, own: Option<i64>, pods: Option<i64>| match own.or(pods).map(u32::try_from) {
        None => Ok(None),
        Some(Ok(id)) => Ok(Some(id)),
        Some(Err(_)) => Err(Missing(format!("{name} is out of range"))),
    };
    let uid = id("runAsUser", context.run_as_user, pod.run_as_user)?;
    let must_not_be_root = context.run_as_non_root.or(pod.run_as_non_root) == Some(true);
    let image_user = image.user.split(':').next().unwrap_or_default();
    let is_root = uid.map_or(matches!(image_user, "" | "0" | "root"), |uid| uid == 0);
    if must_not_be_root && is_root {
        return Err(Missing("container has runAsNonRoot and image will run as root".to_owned()));
    }
    let groups = pod.supplemental_groups.iter().flatten().chain(&pod.fs_group);
    Ok(User {
        image: image.user.clone(),
        uid,
        gid: id("runAsGroup", context.run_as_group, pod.run_as_group)?,
        groups: groups.filter_map(|group| u32::try_from(*group).ok()).collect(),
    })
}

fn mounts(
    container: &Container,
    env: &[(String, String)],
    volumes: &Volumes,
) -> Result<Vec<VolumeMount>, Missing> {
    let known: BTreeMap<_, _> = env.iter().cloned().collect();
    let mut mounts = Vec::new();
    for mount in container.volume_mounts.iter().flatten() {
        let volume =
            volumes.get(&mount.name).ok_or_else(|| Missing(format!("volume {:?} not found", mount.name)))?;
        let below = match (&mount.sub_path, &mount.sub_path_expr) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => env::expand(path, &known),
            (None, None) => String::new(),
        };
        let bind = BindMount {
            source: if below.is_empty() { volume.path.clone() } else { volume.base() },
            sub_path: inside(below)?,
            target: PathBuf::from(&mount.mount_path),
            // What containers could change of values, the node would read and write with its own rights.
            read_only: volume.is_values || mount.read_only.unwrap_or(false),
        };
        mounts.push(VolumeMount { bind, is_mount: volume.is_mount });
    }
    Ok(mounts)
}

/// A path below a volume that cannot lead out of it by itself; the runtime sees to the links in it.
fn inside(below: String) -> Result<PathBuf, Missing> {
    let below = PathBuf::from(below);
    if below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        Ok(below)
    } else {
        Err(Missing(format!("subPath {} leads out of the volume", below.display())))
    }
}

fn limits(container: &Container) -> Resources {
    let resources = container.resources.clone().unwrap_or_default();
    let amount =
        |list: &Option<BTreeMap<String, Quantity>>, name: &str, unit: fn(&Quantity) -> Option<i64>| {
            list.as_ref()
                .and_then(|list| list.get(name))
                .and_then(unit)
                .and_then(|amount| u64::try_from(amount).ok())
        };
    let cpu_limit_millis = amount(&resources.limits, "cpu", quantity::millis).filter(|millis| *millis > 0);
    Resources {
        // A limit without a request counts as the request, too.
        cpu_request_millis: amount(&resources.requests, "cpu", quantity::millis).or(cpu_limit_millis),
        cpu_limit_millis,
        memory_limit: amount(&resources.limits, "memory", bytes).filter(|bytes| *bytes > 0),
        pids_limit: Some(PIDS_MAX),
    }
}

fn bytes(quantity: &Quantity) -> Option<i64> {
    quantity::millis(quantity).map(|millis| (millis + 999) / 1000)
}

fn capabilities(context: &SecurityContext) -> Result<Capabilities, Missing> {
    let capabilities = context.capabilities.clone().unwrap_or_default();
    let (add, drop) = (capabilities.add.unwrap_or_default(), capabilities.drop.unwrap_or_default());
    // The API refuses these, too; what was stored before it did shall not run either.
    if let Some((name, why)) = add.iter().find_map(|name| Some((name, capability::reaches_beyond(name)?))) {
        return Err(Missing(format!("capability {name} is not given by this node: {why}")));
    }
    Capabilities::with(&add, &drop).map_err(|error| Missing(error.to_string()))
}

fn seccomp(pod: &Pod, context: &SecurityContext) -> Result<Seccomp, Missing> {
    let pod = pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
    let profile =
        context.seccomp_profile.as_ref().or(pod.and_then(|context| context.seccomp_profile.as_ref()));
    match profile.map(|profile| profile.type_.as_str()) {
        None | Some("RuntimeDefault") => Ok(Seccomp::RuntimeDefault),
        Some("Unconfined") => Ok(Seccomp::Unconfined),
        Some(other) => Err(Missing(format!("seccompProfile {other:?} is not supported by this node"))),
    }
}

/// The container's own probes.
pub(super) fn probes(container: &Container) -> Vec<Probe> {
    let kinds = [
        (Kind::Startup, &container.startup_probe),
        (Kind::Liveness, &container.liveness_probe),
        (Kind::Readiness, &container.readiness_probe),
    ];
    let probe = |kind, spec: &ProbeSpec| Probe::new(kind, target(container, spec), Schedule::of(spec, false));
    kinds.into_iter().filter_map(|(kind, spec)| spec.as_ref().map(|spec| probe(kind, spec))).collect()
}

fn target(container: &Container, probe: &ProbeSpec) -> Target {
    if let Some(get) = &probe.http_get {
        http_target(container, get)
    } else if let Some(socket) = &probe.tcp_socket {
        Target::Tcp { port: port(container, &socket.port) }
    } else if probe.grpc.is_some() {
        Target::Unsupported { what: "grpc" }
    } else {
        Target::Exec { argv: probe.exec.as_ref().map(command).unwrap_or_default() }
    }
}

/// What a probe or a hook runs.
pub(super) fn command(exec: &ExecAction) -> Vec<String> {
    exec.command.clone().unwrap_or_default()
}

/// A GET that a probe or a hook makes.
pub(super) fn http_target(container: &Container, get: &HTTPGetAction) -> Target {
    if get.scheme.as_deref() == Some("HTTPS") {
        return Target::Unsupported { what: "HTTPS" };
    }
    let headers = get.http_headers.iter().flatten();
    Target::Http {
        port: port(container, &get.port),
        path: get.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned()),
        headers: headers.map(|header| (header.name.clone(), header.value.clone())).collect(),
    }
}

/// A port by number or by the name it has in the container.
fn port(container: &Container, port: &IntOrString) -> u16 {
    let number = match port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let mut ports = container.ports.iter().flatten();
            ports.find(|port| port.name.as_deref() == Some(name)).map_or(0, |port| port.container_port)
        }
    };
    port_number(number)
}

/// A port as the kernel counts; 0 for one that cannot be.
pub(super) fn port_number(number: i32) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests;
