//! What a container's hooks ask for: `postStart` when it has been started, `preStop` before it is asked to end (upstream:
//! kubernetes, kubelet lifecycle handlers). What the API refuses is not looked for; what queue-proxy would wait for, the
//! drain does.

use std::time::Duration;

use resources::builtin::{Container, LifecycleHandler};

use crate::{
    pod::{built_in, spec},
    probe::{Target, attempt},
    runtime::{ContainerId, Runtime, SandboxId},
};

/// The longest that a hook is waited for, however long the pod's grace period.
const ANSWER_MAX: Duration = Duration::from_secs(3600);

/// A hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    Ask(Target),
    Sleep(Duration),
}

/// What is done when the container has been started.
pub(super) fn post_start(container: &Container) -> Option<Hook> {
    of(container, container.lifecycle.as_ref()?.post_start.as_ref()?)
}

/// What is done before the container is asked to end.
pub(super) fn pre_stop(container: &Container) -> Option<Hook> {
    if built_in::waits_for_drain(container) {
        return None;
    }
    of(container, container.lifecycle.as_ref()?.pre_stop.as_ref()?)
}

fn of(container: &Container, hook: &LifecycleHandler) -> Option<Hook> {
    if let Some(exec) = &hook.exec {
        return Some(Hook::Ask(Target::Exec { argv: spec::command(exec) }));
    }
    if let Some(get) = &hook.http_get {
        return Some(Hook::Ask(spec::http_target(container, get)));
    }
    let seconds = hook.sleep.as_ref()?.seconds;
    Some(Hook::Sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}

/// Runs it until the container's time is `over`.
pub(super) async fn run(
    hook: &Hook,
    runtime: &dyn Runtime,
    sandbox: &SandboxId,
    container: &ContainerId,
    over: impl Future<Output = ()>,
) -> Result<(), String> {
    let asked = async {
        match hook {
            Hook::Ask(target) => {
                let asked = attempt(runtime, sandbox, Some(container), target, ANSWER_MAX).await;
                asked.map_err(|fault| fault.why().to_owned())
            }
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
