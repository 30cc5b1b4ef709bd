//! What valid objects may ask for that the embedded node does not do: refused by name, since a pod that silently ran
//! without it would be worse. Pure.

use std::any::Any;

use resources::{
    DynObject,
    builtin::{Deployment, Pod, PodSpec, ReplicaSet},
    serving::{Configuration, Revision, Service},
};

/// The first thing in an object that the embedded node does not do: its path, and what it is.
pub(super) fn unsupported(object: &dyn DynObject) -> Option<(String, &'static str)> {
    let (prefix, spec) = pod_spec(object)?;
    let switch =
        |on: Option<bool>, name: &'static str| (on == Some(true)).then_some((name, "sharing namespaces"));
    let field = switch(spec.host_network, "hostNetwork")
        .or_else(|| switch(spec.host_pid, "hostPID"))
        .or_else(|| switch(spec.host_ipc, "hostIPC"))
        .or_else(|| switch(spec.share_process_namespace, "shareProcessNamespace"))
        .or_else(|| spec.runtime_class_name.is_some().then_some(("runtimeClassName", "a choice of runtimes")))
        .or_else(|| spec.dns_config.is_some().then_some(("dnsConfig", "DNS in pods")));
    if let Some((field, what)) = field {
        return Some((format!("{prefix}.{field}"), what));
    }
    let lists = [("containers", Some(&spec.containers)), ("initContainers", spec.init_containers.as_ref())];
    for (list, containers) in lists {
        for (index, container) in containers.into_iter().flatten().enumerate() {
            let probes = [
                ("livenessProbe", &container.liveness_probe),
                ("readinessProbe", &container.readiness_probe),
                ("startupProbe", &container.startup_probe),
            ];
            for (name, probe) in probes {
                let Some(probe) = probe else { continue };
                let kind = match (&probe.exec, &probe.grpc) {
                    (Some(_), _) => "exec",
                    (_, Some(_)) => "grpc",
                    _ => continue,
                };
                return Some((format!("{prefix}.{list}[{index}].{name}.{kind}"), "a probe of this kind"));
            }
        }
    }
    None
}

/// The pod that an object describes, and where in it that stands.
fn pod_spec(object: &dyn DynObject) -> Option<(&'static str, PodSpec)> {
    let any: &dyn Any = object;
    if let Some(pod) = any.downcast_ref::<Pod>() {
        return Some(("spec", pod.spec.clone()?));
    }
    if let Some(deployment) = any.downcast_ref::<Deployment>() {
        return Some(("spec.template.spec", deployment.spec.as_ref()?.template.spec.clone()?));
    }
    if let Some(set) = any.downcast_ref::<ReplicaSet>() {
        return Some(("spec.template.spec", set.spec.as_ref()?.template.as_ref()?.spec.clone()?));
    }
    if let Some(service) = any.downcast_ref::<Service>() {
        return Some(("spec.template.spec", service.spec.template.spec.pod_spec()));
    }
    if let Some(configuration) = any.downcast_ref::<Configuration>() {
        return Some(("spec.template.spec", configuration.spec.template.spec.pod_spec()));
    }
    let revision = any.downcast_ref::<Revision>()?;
    Some(("spec", revision.spec.pod_spec()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_the_node_does_not_do_is_named() {
        let container = |probe: Value| json!({ "containers": [{ "name": "a" }, { "name": "b", "readinessProbe": probe }] });
        for (spec, expect) in [
            (container(json!({ "httpGet": { "port": 1 } })), None),
            (
                container(json!({ "exec": { "command": ["x"] } })),
                Some("spec.containers[1].readinessProbe.exec"),
            ),
            (container(json!({ "grpc": { "port": 1 } })), Some("spec.containers[1].readinessProbe.grpc")),
            (json!({ "containers": [], "hostNetwork": true }), Some("spec.hostNetwork")),
            (json!({ "containers": [], "hostNetwork": false }), None),
            (json!({ "containers": [], "runtimeClassName": "kata" }), Some("spec.runtimeClassName")),
        ] {
            let pod: Pod = serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap();
            assert_eq!(unsupported(&pod).map(|(path, _)| path).as_deref(), expect, "{spec}");
        }
    }
}
