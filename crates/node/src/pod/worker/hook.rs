//! What a container's `preStop` hook asks for, before the container is asked to end (upstream: kubernetes, kubelet
//! lifecycle handlers). What the API refuses is not looked for; what queue-proxy would wait for, the drain does.

use std::time::Duration;

use resources::builtin::Container;

use crate::{
    pod::{built_in, spec},
    probe::{Target, attempt},
    runtime::{Runtime, SandboxId},
};

/// The longest that a hook's answer is waited for, however long the pod's grace period.
const ANSWER_MAX: Duration = Duration::from_secs(3600);

/// A hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    Get(Target),
    Sleep(Duration),
}

/// The container's hook, if it has one that the node runs.
pub(super) fn of(container: &Container) -> Option<Hook> {
    if built_in::waits_for_drain(container) {
        return None;
    }
    let hook = container.lifecycle.as_ref()?.pre_stop.as_ref()?;
    if let Some(get) = &hook.http_get {
        return Some(Hook::Get(spec::http_target(container, get)));
    }
    let seconds = hook.sleep.as_ref()?.seconds;
    Some(Hook::Sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}

/// Runs it until the container's time is `over`; what comes of it changes nothing.
pub(super) async fn run(
    hook: &Hook,
    runtime: &dyn Runtime,
    sandbox: &SandboxId,
    over: impl Future<Output = ()>,
) -> Result<(), String> {
    let asked = async {
        match hook {
            Hook::Get(target) => attempt(runtime, sandbox, target, ANSWER_MAX).await,
            Hook::Sleep(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
        }
    };
    tokio::select! {
        biased;
        () = over => Err("the pod's time was over before the hook was done".to_owned()),
        result = asked => result,
    }
}
