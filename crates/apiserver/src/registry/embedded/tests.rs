use std::fmt;

use resources::builtin::{
    Container, ContainerPort, EnvVarSource, HTTPGetAction, Lifecycle, LifecycleHandler, Pod,
    PodSecurityContext, PodSpec, Probe, ResourceRequirements, SecurityContext, Service, TCPSocketAction,
    VolumeMount,
};
use serde::{
    Deserialize, Deserializer,
    de::{Visitor, value::Error},
    forward_to_deserialize_any,
};
use serde_json::{Value, json};

use super::{rule::Rule, rules::*, *};

/// A pod of two containers, of which the second one, or the pod itself, has `value` at a path like `ports[0].hostPort`.
fn pod_with(of_container: bool, path: &str, value: &Value) -> Pod {
    let mut spec = json!({ "containers": [{ "name": "a" }, { "name": "b" }] });
    let mut place = if of_container { &mut spec["containers"][1] } else { &mut spec };
    for field in path.split('.') {
        place = match field.split_once("[0]") {
            None => &mut place[field],
            Some((name, _)) => {
                place[name] = json!([{}]);
                &mut place[name][0]
            }
        };
    }
    *place = value.clone();
    serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap()
}

/// Values and what of them is named: the field itself, or a part of it, or nothing.
type Cases = Vec<(&'static str, Value, Option<&'static str>)>;

fn named(path: &'static str, value: Value) -> (&'static str, Value, Option<&'static str>) {
    (path, value, Some(""))
}

fn fine(path: &'static str, value: Value) -> (&'static str, Value, Option<&'static str>) {
    (path, value, None)
}

fn pod_refused() -> Cases {
    vec![
        named("dnsConfig", json!({})),
        named("ephemeralContainers", json!([{ "name": "e" }])),
        named("hostIPC", json!(true)),
        named("hostNetwork", json!(true)),
        fine("hostNetwork", json!(false)),
        named("hostPID", json!(true)),
        named("hostUsers", json!(false)),
        fine("hostUsers", json!(true)),
        named("hostnameOverride", json!("a")),
        named("os.name", json!("windows")),
        fine("os.name", json!("linux")),
        ("overhead", json!({ "cpu": "1" }), Some("[cpu]")),
        named("readinessGates", json!([{ "conditionType": "a" }])),
        fine("readinessGates", json!([])),
        named("resourceClaims", json!([{ "name": "a" }])),
        named("resources", json!({ "limits": { "cpu": "1" } })),
        named("runtimeClassName", json!("kata")),
        named("schedulingGates", json!([{ "name": "a" }])),
        named("securityContext.appArmorProfile.type", json!("RuntimeDefault")),
        named("securityContext.seccompProfile.type", json!("Localhost")),
        fine("securityContext.seccompProfile.type", json!("RuntimeDefault")),
        named("securityContext.supplementalGroupsPolicy", json!("Strict")),
        named("securityContext.sysctls", json!([{ "name": "a", "value": "1" }])),
        named("securityContext.windowsOptions", json!({})),
        named("setHostnameAsFQDN", json!(true)),
        named("shareProcessNamespace", json!(true)),
    ]
}

fn container_refused() -> Cases {
    let mut cases = vec![
        named("env[0].valueFrom.fileKeyRef", json!({ "key": "k", "path": "p", "volumeName": "v" })),
        fine("lifecycle.postStart", json!({ "exec": { "command": ["x"] } })),
        named("lifecycle.postStart.httpGet.host", json!("example.com")),
        named("lifecycle.postStart.httpGet.scheme", json!("HTTPS")),
        named("lifecycle.postStart.tcpSocket", json!({ "port": 1 })),
        fine("lifecycle.preStop.exec", json!({ "command": ["x"] })),
        named("lifecycle.preStop.httpGet.host", json!("example.com")),
        named("lifecycle.preStop.httpGet.scheme", json!("HTTPS")),
        fine("lifecycle.preStop.httpGet", json!({ "port": 1, "scheme": "HTTP" })),
        fine("lifecycle.preStop.sleep", json!({ "seconds": 1 })),
        named("lifecycle.preStop.tcpSocket", json!({ "port": 1 })),
        named("lifecycle.stopSignal", json!("SIGUSR1")),
        named("ports[0].hostPort", json!(80)),
        fine("ports[0].hostPort", json!(0)),
        named("resources.claims", json!([{ "name": "a" }])),
        ("resources.limits", json!({ "cpu": "1", "nvidia.com/gpu": "1" }), Some("[nvidia.com/gpu]")),
        ("resources.requests", json!({ "memory": "1", "hugepages-2Mi": "2Mi" }), Some("[hugepages-2Mi]")),
        named("restartPolicy", json!("Always")),
        named("restartPolicyRules", json!([{ "action": "Restart" }])),
        named("securityContext.appArmorProfile.type", json!("Localhost")),
        fine("securityContext.appArmorProfile.type", json!("Unconfined")),
        named("securityContext.privileged", json!(true)),
        named("securityContext.procMount", json!("Unmasked")),
        named("securityContext.seccompProfile.type", json!("Localhost")),
        named("securityContext.windowsOptions", json!({})),
        named("stdin", json!(true)),
        fine("stdin", json!(false)),
        named("stdinOnce", json!(true)),
        named("tty", json!(true)),
        named("volumeDevices", json!([{ "name": "v", "devicePath": "/d" }])),
        named("volumeMounts[0].mountPropagation", json!("HostToContainer")),
        fine("volumeMounts[0].mountPropagation", json!("None")),
        named("volumeMounts[0].recursiveReadOnly", json!("Enabled")),
        fine("securityContext.capabilities", json!({ "drop": ["ALL"], "add": ["SYS_PTRACE"] })),
        ("securityContext.capabilities", json!({ "add": ["NET_ADMIN", "SYS_ADMIN"] }), Some(".add[1]")),
        ("securityContext.capabilities", json!({ "add": ["CAP_BPF"] }), Some(".add[0]")),
        ("securityContext.capabilities", json!({ "add": ["ALL"] }), Some(".add[0]")),
    ];
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        cases.extend([
            (probe, json!({ "httpGet": { "port": 1, "scheme": "HTTP" } }), None),
            (probe, json!({ "tcpSocket": { "port": 1 } }), None),
            (probe, json!({ "exec": { "command": ["x"] } }), None),
            (probe, json!({ "grpc": { "port": 1 } }), Some(".grpc")),
            (probe, json!({ "httpGet": { "port": 1, "host": "a" } }), Some(".httpGet.host")),
            (probe, json!({ "httpGet": { "port": 1, "scheme": "HTTPS" } }), Some(".httpGet.scheme")),
            (probe, json!({ "tcpSocket": { "port": 1, "host": "a" } }), Some(".tcpSocket.host")),
        ]);
    }
    cases
}

fn pod_told() -> Cases {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    let term = || json!([{ "topologyKey": "kubernetes.io/hostname" }]);
    vec![
        (
            "affinity.podAffinity",
            json!({ REQUIRED: term() }),
            Some(".requiredDuringSchedulingIgnoredDuringExecution"),
        ),
        (
            "affinity.podAntiAffinity",
            json!({ REQUIRED: term() }),
            Some(".requiredDuringSchedulingIgnoredDuringExecution"),
        ),
        (
            "affinity.nodeAffinity",
            json!({ REQUIRED: { "nodeSelectorTerms": [] } }),
            Some(".requiredDuringSchedulingIgnoredDuringExecution"),
        ),
        fine("affinity.nodeAffinity", json!({ "preferredDuringSchedulingIgnoredDuringExecution": [] })),
        named("priorityClassName", json!("system-node-critical")),
        named("schedulerName", json!("mine")),
        fine("schedulerName", json!("default-scheduler")),
        named("securityContext.seLinuxOptions", json!({ "level": "s0" })),
        named("subdomain", json!("a")),
        ("volumes[0]", json!({ "name": "v", "hostPath": { "path": "/" } }), Some(".hostPath")),
        (
            "volumes[0]",
            json!({ "name": "v", "persistentVolumeClaim": { "claimName": "c" } }),
            Some(".persistentVolumeClaim"),
        ),
        fine("volumes[0]", json!({ "name": "v", "emptyDir": {} })),
        (
            "volumes[0].projected.sources[0]",
            json!({ "clusterTrustBundle": { "path": "t" } }),
            Some(".clusterTrustBundle"),
        ),
    ]
}

fn container_told() -> Cases {
    vec![named("securityContext.seLinuxOptions", json!({ "level": "s0" }))]
}

/// Every rule speaks of what its cases say, and of nothing else; and every rule has a case.
fn check(rules: &[Rule], of_container: bool, cases: Cases, say: impl Fn(&Pod) -> Vec<String>) {
    let mut shown = Vec::new();
    for (path, value, expect) in cases {
        let prefix = if of_container { "spec.containers[1]" } else { "spec" };
        let expect = expect.map(|part| format!("{prefix}.{path}{part}"));
        let found = say(&pod_with(of_container, path, &value));
        assert_eq!(found, expect.clone().into_iter().collect::<Vec<_>>(), "{path}: {value}");
        shown.extend(expect.map(|expect| expect.replace("[0]", "[*]")));
    }
    for rule in rules {
        assert!(shown.iter().any(|shown| shown.contains(rule.at)), "{} has no case", rule.at);
    }
}

#[test]
fn what_the_node_does_not_do_is_named() {
    let fields = |pod: &Pod| refusals(pod).into_iter().map(|cause| cause.field).collect();
    check(POD_REFUSED, false, pod_refused(), fields);
    check(CONTAINER_REFUSED, true, container_refused(), fields);
    let init = json!({ "metadata": {}, "spec": {
        "hostNetwork": true, "containers": [], "initContainers": [{ "name": "i", "restartPolicy": "Always", "tty": true }],
    }});
    let pod: Pod = serde_json::from_value(init).unwrap();
    let expect = ["spec.hostNetwork", "spec.initContainers[0].restartPolicy", "spec.initContainers[0].tty"];
    assert_eq!(fields(&pod), expect, "all at once");
    let said = "Forbidden: not supported by the embedded node: namespaces shared with the host or between containers; remove this field";
    assert_eq!((&*refusals(&pod)[0].reason, &*refusals(&pod)[0].message), ("FieldValueForbidden", said));
}

#[test]
fn what_has_no_effect_is_told() {
    let fields = |pod: &Pod| -> Vec<String> {
        let field = |warning: String| warning.split_once(": ").unwrap().0.to_owned();
        warnings(pod).into_iter().map(field).collect()
    };
    check(POD_TOLD, false, pod_told(), fields);
    check(CONTAINER_TOLD, true, container_told(), fields);
}

#[test]
fn a_service_is_told_what_it_is_not_given() {
    for (spec, expect) in [
        (
            json!({ "type": "LoadBalancer" }),
            Some("spec.type: nothing answers at the address and the ports of a LoadBalancer Service"),
        ),
        (
            json!({ "type": "NodePort" }),
            Some("spec.type: nothing answers at the address and the ports of a NodePort Service"),
        ),
        (json!({ "type": "ClusterIP", "selector": { "a": "b" } }), Some("spec.clusterIP: ")),
        (json!({ "clusterIP": "None" }), None),
        (json!({ "type": "ExternalName", "externalName": "a.example.com" }), Some("spec.externalName: ")),
    ] {
        let service: Service = serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap();
        let told = warnings(&service);
        assert_eq!(told.len(), usize::from(expect.is_some()), "{spec}: {told:?}");
        assert!(told.iter().all(|told| told.starts_with(expect.unwrap_or_default())), "{spec}: {told:?}");
    }
}

/// What a type is made of, as it tells whoever reads it.
struct Fields;

impl<'de> Deserializer<'de> for Fields {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom(fields.join(" ")))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("it is no struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields_of<T: for<'de> Deserialize<'de> + fmt::Debug>() -> String {
    T::deserialize(Fields).unwrap_err().to_string()
}

/// Whoever takes a newer Kubernetes comes to decide about its new fields here. What is listed is honoured by the node, or
/// does no harm: a node alone has nothing to choose, and tolerates everything.
#[test]
fn every_field_has_been_thought_of() {
    let pod: Vec<&Rule> = POD_REFUSED.iter().chain(POD_TOLD).collect();
    let container: Vec<&Rule> = CONTAINER_REFUSED.iter().chain(CONTAINER_TOLD).collect();
    let cases: &[(&[&Rule], &str, String, &str)] = &[
        (
            &pod,
            "",
            fields_of::<PodSpec>(),
            "activeDeadlineSeconds automountServiceAccountToken containers dnsPolicy enableServiceLinks hostAliases hostname imagePullSecrets \
             initContainers nodeName nodeSelector preemptionPolicy priority restartPolicy serviceAccount \
             serviceAccountName terminationGracePeriodSeconds tolerations topologySpreadConstraints",
        ),
        (
            &pod,
            "securityContext.",
            fields_of::<PodSecurityContext>(),
            "fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser seLinuxChangePolicy supplementalGroups",
        ),
        (
            &container,
            "",
            fields_of::<Container>(),
            "args command envFrom image imagePullPolicy name resizePolicy terminationMessagePath \
             terminationMessagePolicy workingDir",
        ),
        (
            &container,
            "securityContext.",
            fields_of::<SecurityContext>(),
            "allowPrivilegeEscalation capabilities readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser",
        ),
        (&container, "lifecycle.", fields_of::<Lifecycle>(), ""),
        (&container, "lifecycle.preStop.", fields_of::<LifecycleHandler>(), "exec sleep"),
        (
            &container,
            "readinessProbe.",
            fields_of::<Probe>(),
            "exec failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds \
             timeoutSeconds",
        ),
        (&container, "readinessProbe.httpGet.", fields_of::<HTTPGetAction>(), "httpHeaders path port"),
        (&container, "readinessProbe.tcpSocket.", fields_of::<TCPSocketAction>(), "port"),
        (&container, "ports[*].", fields_of::<ContainerPort>(), "containerPort hostIP name protocol"),
        (
            &container,
            "volumeMounts[*].",
            fields_of::<VolumeMount>(),
            "mountPath name readOnly subPath subPathExpr",
        ),
        (&container, "resources.", fields_of::<ResourceRequirements>(), ""),
        (
            &container,
            "env[*].valueFrom.",
            fields_of::<EnvVarSource>(),
            "configMapKeyRef fieldRef resourceFieldRef secretKeyRef",
        ),
    ];
    for (rules, at, fields, fine) in cases {
        let left: Vec<&str> =
            fields.split(' ').filter(|field| !fine.split(' ').any(|fine| fine == *field)).collect();
        for field in &left {
            let path = format!("{at}{field}");
            let ruled = rules.iter().any(|rule| {
                rule.at
                    .strip_prefix(&*path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            });
            assert!(ruled, "{path} is neither honoured nor refused nor told");
        }
        let stale =
            fine.split(' ').filter(|fine| !fine.is_empty() && !fields.split(' ').any(|field| field == *fine));
        assert_eq!(stale.collect::<Vec<_>>(), [""; 0], "{at} has no such fields");
    }
}
