//! The user's containers as they stand in a Deployment (upstream: serving, revision/resources, `makeContainer`).

use resources::{
    Object,
    builtin::{Container, ContainerPort, EnvVar, HTTPGetAction, Lifecycle, LifecycleHandler, Probe},
    labels,
    meta::IntOrString,
    reserved::{
        ENV_K_CONFIGURATION, ENV_K_REVISION, ENV_K_SERVICE, ENV_PORT, QUEUE_ADMIN_PORT, USER_PORT_NAME,
    },
    serving::Revision,
};

use super::port::user_port;

/// Where a container waits until the queue proxy has no more requests for it.
const DRAIN_PATH: &str = "/wait-for-drain";

/// One of the user's containers; `image` is the one to run, by digest if it was resolved.
pub(super) fn user_container(revision: &Revision, container: &Container, image: &str) -> Container {
    let spec = &revision.spec;
    let serves = spec.serving_container().is_some_and(|serving| serving.name == container.name);
    let port = user_port(spec);
    let mut made = Container { image: Some(image.to_owned()), ..container.clone() };
    made.lifecycle = Some(drain_first());
    // No Revision has either, and Kubernetes' API does not show what is not so.
    made.stdin = None;
    made.tty = None;
    made.termination_message_policy.get_or_insert_with(|| "FallbackToLogsOnError".to_owned());

    let env = made.env.get_or_insert_default();
    if serves {
        env.push(variable(ENV_PORT, port.to_string()));
        made.ports = Some(vec![ContainerPort {
            name: Some(USER_PORT_NAME.to_owned()),
            container_port: port,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]);
        // The queue proxy asks in the container's place, so that an instance counts from its first good answer.
        made.readiness_probe = made.readiness_probe.filter(|probe| probe.exec.is_some());
        aim(&mut made.liveness_probe, port);
        aim(&mut made.startup_probe, port);
    }
    let label = |key| revision.label(key).unwrap_or_default().to_owned();
    env.push(variable(ENV_K_REVISION, revision.name().to_owned()));
    env.push(variable(ENV_K_CONFIGURATION, label(labels::CONFIGURATION)));
    env.push(variable(ENV_K_SERVICE, label(labels::SERVICE)));
    made
}

pub(super) fn variable(name: &str, value: String) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value), value_from: None }
}

fn drain_first() -> Lifecycle {
    let wait = HTTPGetAction {
        path: Some(DRAIN_PATH.to_owned()),
        port: IntOrString::Int(QUEUE_ADMIN_PORT),
        ..HTTPGetAction::default()
    };
    Lifecycle {
        pre_stop: Some(LifecycleHandler { http_get: Some(wait), ..LifecycleHandler::default() }),
        ..Lifecycle::default()
    }
}

/// Points a probe at the app's port: it is renamed, so a name would lead nowhere, and 0 stands for it.
fn aim(probe: &mut Option<Probe>, port: i32) {
    let Some(probe) = probe else { return };
    if let Some(http) = &mut probe.http_get {
        http.port = IntOrString::Int(port);
    }
    if let Some(tcp) = &mut probe.tcp_socket {
        tcp.port = IntOrString::Int(port);
    }
}
