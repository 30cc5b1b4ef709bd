//! What the containers of a pod share, made before the first of them: sandbox, address, volumes, small files.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::Arc,
};

use resources::{Object, builtin::Pod};

use super::{Happening, Worker, told};
use crate::{
    pod::{
        env::Surroundings,
        image::Failure,
        kubelet::Shared,
        tokens::PodTokens,
        values::{Missing, Seen, Values},
        volumes::{self, Turns, Volumes},
    },
    private_dir,
    runtime::{RuntimeError, SandboxSpec},
};

/// The longest hostname the kernel takes.
const HOSTNAME_MAX: usize = 63;

/// What the containers of a pod share.
pub(super) struct Prepared {
    pub(super) hostname: String,
    pub(super) address: Ipv4Addr,
    pub(super) volumes: Volumes,
    /// The pod's own directory on the host.
    pub(super) dir: PathBuf,
}

impl Worker {
    /// Makes the shared things; the outcome is a happening.
    pub(super) fn prepare(&mut self) {
        let (shared, pod, sandbox) = (Arc::clone(&self.shared), Arc::clone(&self.pod), self.sandbox.clone());
        let Some(address) = self.address.or_else(|| shared.addresses.take()) else {
            let (network, prefix) = shared.options.pod_network;
            let message = format!("no address is left in {network}/{prefix} for another pod");
            let failure = Failure::new("FailedCreatePodSandBox", message);
            self.happenings.push(Box::pin(std::future::ready(Happening::Prepared(Err(failure)))));
            return;
        };
        // Given back at the pod's end, whatever becomes of this.
        self.address = Some(address);
        let spec =
            SandboxSpec { id: sandbox, hostname: hostname(&pod), addresses: vec![IpAddr::V4(address)] };
        let turns = self.volumes.clone();
        self.happenings.push(Box::pin(async move {
            Happening::Prepared(prepare(&shared, &pod, spec, address, &turns).await)
        }));
    }
}

async fn prepare(
    shared: &Shared,
    pod: &Arc<Pod>,
    spec: SandboxSpec,
    address: Ipv4Addr,
    turns: &Turns,
) -> Result<(Prepared, Option<Seen>), Failure> {
    let dir = shared.pod_dir(pod);
    let config_error = |message: String| Failure::new("CreateContainerConfigError", message);
    let files =
        Files { hostname: spec.hostname.clone(), address, resolv_conf: shared.options.resolv_conf.clone() };
    let (own, of) = (dir.clone(), Arc::clone(pod));
    let written = shared.small_files.run(move || files.write(&own, &of)).await;
    written.map_err(|error| config_error(format!("writing the pod's files: {error}")))?;
    let (volumes, shown) = if pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.volumes.as_ref().is_some_and(|volumes| !volumes.is_empty()))
    {
        let read = Values::of_volumes(&shared.client, pod, shared.token_source(&PodTokens::default())).await;
        let values = read.map_err(|error| config_error(error.to_string()))?;
        let (places, pod, shown) = (shared.places(pod), Arc::clone(pod), values.seen().clone());
        let (address, allocatable) = (address.to_string(), shared.options.allocatable);
        let made = turns.run(move || {
            volumes::make(&places, &pod, &values, &Surroundings { address: &address, allocatable })
        });
        let made = made.await.map_err(|error| config_error(error.to_string()))?;
        let seen = |missing: Missing| Failure { seen: shown.clone(), ..config_error(missing.to_string()) };
        (made.map_err(seen)?, Some(shown))
    } else {
        (Volumes::new(), None)
    };
    let hostname = spec.hostname.clone();
    let mut created = shared.runtime.create_sandbox(spec.clone()).await;
    if matches!(created, Err(RuntimeError::Exists { .. })) {
        // A failed attempt came so far, or a worker that ended by a fault of its own.
        if let Err(error) = shared.runtime.remove_sandbox(&spec.id).await {
            tracing::warn!(pod = %pod.key(), %error, "could not remove all of an earlier sandbox");
        }
        created = shared.runtime.create_sandbox(spec).await;
    }
    created.map_err(|error| {
        tracing::debug!(pod = %pod.key(), %error, "could not make a pod's sandbox");
        Failure::new("FailedCreatePodSandBox", told::of_sandbox(&error, pod.name()))
    })?;
    Ok((Prepared { hostname, address, volumes, dir }, shown))
}

/// The shared things of a pod that runs: they are there, and stay as its containers see them.
pub(super) fn kept(shared: &Shared, pod: &Pod, address: Ipv4Addr) -> Prepared {
    let volumes = volumes::kept(&shared.places(pod), pod);
    Prepared { hostname: hostname(pod), address, volumes, dir: shared.pod_dir(pod) }
}

fn hostname(pod: &Pod) -> String {
    let own = pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
    let mut name = own.unwrap_or_else(|| pod.name().to_owned());
    name.truncate(HOSTNAME_MAX);
    name.trim_end_matches(['-', '.']).to_owned()
}

/// The files that every container finds in `/etc`.
struct Files {
    hostname: String,
    address: Ipv4Addr,
    resolv_conf: String,
}

impl Files {
    fn write(&self, dir: &Path, pod: &Pod) -> io::Result<()> {
        private_dir::make(dir)?;
        fs::create_dir_all(dir.join("etc"))?;
        let mut hosts = format!(
            "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{}\t{}\n",
            self.address, self.hostname
        );
        for alias in pod.spec.iter().flat_map(|spec| spec.host_aliases.iter().flatten()) {
            let names = alias.hostnames.as_deref().unwrap_or_default().join("\t");
            hosts.push_str(&format!("{}\t{names}\n", alias.ip));
        }
        fs::write(dir.join("etc/hosts"), hosts)?;
        fs::write(dir.join("etc/hostname"), format!("{}\n", self.hostname))?;
        fs::write(dir.join("etc/resolv.conf"), &self.resolv_conf)
    }
}
