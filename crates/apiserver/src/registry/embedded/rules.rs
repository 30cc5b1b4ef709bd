//! The rules for pods, by field. A field without a rule works or does no harm; the tests list those fields, so that none is
//! forgotten.

use super::rule::{
    Rule,
    When::{self, Fields, Keys, Not, Set},
};

const fn rule(at: &'static str, when: When, what: &'static str) -> Rule {
    Rule { at, when, what }
}

const NAMESPACES: &str = "namespaces shared with the host or between containers";
const PROBE: &str = "probes of this kind";
const HOOK: &str = "hooks of this kind";
const ATTACH: &str = "attaching a terminal or standard input";
const WINDOWS: &str = "Windows";

pub(super) const POD_REFUSED: &[Rule] = &[
    rule("dnsConfig", Set, "DNS in pods"),
    rule("ephemeralContainers", Set, "ephemeral containers"),
    rule("hostIPC", Set, NAMESPACES),
    rule("hostNetwork", Set, NAMESPACES),
    rule("hostPID", Set, NAMESPACES),
    rule("hostUsers", When::False, "user namespaces"),
    rule("hostnameOverride", Set, "an override of the host name"),
    rule("os.name", Not(&["linux"]), "operating systems other than Linux"),
    rule("overhead", Keys(&[]), "pod overhead"),
    rule("readinessGates", Set, "readiness gates"),
    rule("resourceClaims", Set, "resource claims (devices)"),
    rule("resources", Set, "resources for the pod as a whole"),
    rule("runtimeClassName", Set, "runtime classes"),
    rule("schedulingGates", Set, "scheduling gates"),
    rule("securityContext.appArmorProfile.type", Not(&["Unconfined"]), "AppArmor"),
    rule(
        "securityContext.seccompProfile.type",
        Not(&["RuntimeDefault", "Unconfined"]),
        "seccomp profiles from a file",
    ),
    rule(
        "securityContext.supplementalGroupsPolicy",
        Not(&["Merge"]),
        "leaving out the supplemental groups of the image",
    ),
    rule("securityContext.sysctls", Set, "sysctls"),
    rule("securityContext.windowsOptions", Set, WINDOWS),
    rule("setHostnameAsFQDN", Set, "a fully qualified host name"),
    rule("shareProcessNamespace", Set, NAMESPACES),
];

/// Those of each container, init containers too.
pub(super) const CONTAINER_REFUSED: &[Rule] = &[
    rule("env[*].valueFrom.fileKeyRef", Set, "environment variables from a file"),
    rule("lifecycle.postStart.httpGet.host", Set, "hooks to another host"),
    rule("lifecycle.postStart.httpGet.scheme", Not(&["HTTP"]), "hooks over TLS"),
    rule("lifecycle.postStart.tcpSocket", Set, HOOK),
    rule("lifecycle.preStop.httpGet.host", Set, "hooks to another host"),
    rule("lifecycle.preStop.httpGet.scheme", Not(&["HTTP"]), "hooks over TLS"),
    rule("lifecycle.preStop.tcpSocket", Set, HOOK),
    rule("lifecycle.stopSignal", Set, "a stop signal of its own"),
    rule("livenessProbe.grpc", Set, PROBE),
    rule("livenessProbe.httpGet.host", Set, "probes of another host"),
    rule("livenessProbe.httpGet.scheme", Not(&["HTTP"]), "probes over TLS"),
    rule("livenessProbe.tcpSocket.host", Set, "probes of another host"),
    rule("ports[*].hostPort", Set, "host ports"),
    rule("readinessProbe.grpc", Set, PROBE),
    rule("readinessProbe.httpGet.host", Set, "probes of another host"),
    rule("readinessProbe.httpGet.scheme", Not(&["HTTP"]), "probes over TLS"),
    rule("readinessProbe.tcpSocket.host", Set, "probes of another host"),
    rule("resources.claims", Set, "resource claims (devices)"),
    rule("resources.limits", Keys(&["cpu", "memory", "ephemeral-storage"]), "resources of this name"),
    rule("resources.requests", Keys(&["cpu", "memory", "ephemeral-storage"]), "resources of this name"),
    rule("restartPolicy", Set, "a restart policy of a single container (sidecars)"),
    rule("restartPolicyRules", Set, "restart policy rules"),
    rule("securityContext.appArmorProfile.type", Not(&["Unconfined"]), "AppArmor"),
    rule("securityContext.privileged", Set, "privileged containers"),
    rule("securityContext.procMount", Not(&["Default"]), "an unmasked /proc"),
    rule(
        "securityContext.seccompProfile.type",
        Not(&["RuntimeDefault", "Unconfined"]),
        "seccomp profiles from a file",
    ),
    rule("securityContext.windowsOptions", Set, WINDOWS),
    rule("startupProbe.grpc", Set, PROBE),
    rule("startupProbe.httpGet.host", Set, "probes of another host"),
    rule("startupProbe.httpGet.scheme", Not(&["HTTP"]), "probes over TLS"),
    rule("startupProbe.tcpSocket.host", Set, "probes of another host"),
    rule("stdin", Set, ATTACH),
    rule("stdinOnce", Set, ATTACH),
    rule("tty", Set, ATTACH),
    rule("volumeDevices", Set, "block devices"),
    rule("volumeMounts[*].mountPropagation", Not(&["None"]), "mount propagation"),
    rule(
        "volumeMounts[*].recursiveReadOnly",
        Not(&["Disabled", "IfPossible"]),
        "recursively read-only mounts",
    ),
];

const ONE_NODE: &str = "ignored: there is only one node";
const WAITS: &str = "this volume type is not supported; the pod will stay Pending";
const SELINUX: &str = "ignored: Ebb sets no SELinux labels";

pub(super) const POD_TOLD: &[Rule] = &[
    rule("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", Set, ONE_NODE),
    rule("affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution", Set, ONE_NODE),
    rule("affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution", Set, ONE_NODE),
    rule("priorityClassName", Set, "ignored: pods are never preempted"),
    rule("schedulerName", Not(&["default-scheduler"]), ONE_NODE),
    rule("securityContext.seLinuxOptions", Set, SELINUX),
    rule("subdomain", Set, "ignored: there is no DNS in pods in this version"),
    rule(
        "volumes[*]",
        Fields(&["name", "configMap", "downwardAPI", "emptyDir", "projected", "secret"]),
        WAITS,
    ),
    rule(
        "volumes[*].projected.sources[*]",
        Fields(&["configMap", "downwardAPI", "secret", "serviceAccountToken"]),
        WAITS,
    ),
];

/// Those of each container, init containers too.
pub(super) const CONTAINER_TOLD: &[Rule] = &[rule("securityContext.seLinuxOptions", Set, SELINUX)];
