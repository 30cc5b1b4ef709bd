//! The rules of pods, by field. A field that stands in none of them is honoured or does no harm; the tests have the list
//! of those, and look whether one was forgotten.

use super::rule::{
    Rule,
    When::{self, Fields, Keys, Not, Set},
};

const fn rule(at: &'static str, when: When, what: &'static str) -> Rule {
    Rule { at, when, what }
}

const NAMESPACES: &str = "sharing namespaces";
const PROBE: &str = "a probe of this kind";
const HOOK: &str = "a hook of this kind";
const ATTACH: &str = "a terminal or an input to attach to";
const WINDOWS: &str = "Windows";

pub(super) const POD_REFUSED: &[Rule] = &[
    rule("dnsConfig", Set, "DNS in pods"),
    rule("ephemeralContainers", Set, "a container for debugging"),
    rule("hostIPC", Set, NAMESPACES),
    rule("hostNetwork", Set, NAMESPACES),
    rule("hostPID", Set, NAMESPACES),
    rule("hostUsers", When::False, "a user namespace"),
    rule("hostnameOverride", Set, "a host name of its own kind"),
    rule("os.name", Not(&["linux"]), "another operating system"),
    rule("overhead", Keys(&[]), "counting the overhead of a runtime"),
    rule("readinessGates", Set, "waiting for conditions of others"),
    rule("resourceClaims", Set, "giving devices to a pod"),
    rule("resources", Set, "limiting a pod as a whole"),
    rule("runtimeClassName", Set, "a choice of runtimes"),
    rule("schedulingGates", Set, "holding a pod back"),
    rule("securityContext.appArmorProfile.type", Not(&["Unconfined"]), "AppArmor"),
    rule(
        "securityContext.seccompProfile.type",
        Not(&["RuntimeDefault", "Unconfined"]),
        "a seccomp profile from a file",
    ),
    rule("securityContext.supplementalGroupsPolicy", Not(&["Merge"]), "leaving out the groups of the image"),
    rule("securityContext.sysctls", Set, "setting kernel parameters"),
    rule("securityContext.windowsOptions", Set, WINDOWS),
    rule("setHostnameAsFQDN", Set, "a host name with a domain"),
    rule("shareProcessNamespace", Set, NAMESPACES),
];

/// Those of each container, init containers too.
pub(super) const CONTAINER_REFUSED: &[Rule] = &[
    rule("env[*].valueFrom.fileKeyRef", Set, "a variable from a file"),
    rule("lifecycle.postStart.httpGet.host", Set, "a hook to another host"),
    rule("lifecycle.postStart.httpGet.scheme", Not(&["HTTP"]), "a hook over TLS"),
    rule("lifecycle.postStart.tcpSocket", Set, HOOK),
    rule("lifecycle.preStop.httpGet.host", Set, "a hook to another host"),
    rule("lifecycle.preStop.httpGet.scheme", Not(&["HTTP"]), "a hook over TLS"),
    rule("lifecycle.preStop.tcpSocket", Set, HOOK),
    rule("lifecycle.stopSignal", Set, "a choice of signals"),
    rule("livenessProbe.grpc", Set, PROBE),
    rule("livenessProbe.httpGet.host", Set, "a probe of another host"),
    rule("livenessProbe.httpGet.scheme", Not(&["HTTP"]), "a probe over TLS"),
    rule("livenessProbe.tcpSocket.host", Set, "a probe of another host"),
    rule("ports[*].hostPort", Set, "a port of the machine"),
    rule("readinessProbe.grpc", Set, PROBE),
    rule("readinessProbe.httpGet.host", Set, "a probe of another host"),
    rule("readinessProbe.httpGet.scheme", Not(&["HTTP"]), "a probe over TLS"),
    rule("readinessProbe.tcpSocket.host", Set, "a probe of another host"),
    rule("resources.claims", Set, "giving devices to a container"),
    rule("resources.limits", Keys(&["cpu", "memory", "ephemeral-storage"]), "a resource of this name"),
    rule("resources.requests", Keys(&["cpu", "memory", "ephemeral-storage"]), "a resource of this name"),
    rule("restartPolicy", Set, "a restart policy of a container (a sidecar, if it is an init container)"),
    rule("restartPolicyRules", Set, "a restart policy of a container"),
    rule("securityContext.appArmorProfile.type", Not(&["Unconfined"]), "AppArmor"),
    rule("securityContext.privileged", Set, "a container that has the whole machine"),
    rule("securityContext.procMount", Not(&["Default"]), "an unmasked /proc"),
    rule(
        "securityContext.seccompProfile.type",
        Not(&["RuntimeDefault", "Unconfined"]),
        "a seccomp profile from a file",
    ),
    rule("securityContext.windowsOptions", Set, WINDOWS),
    rule("startupProbe.grpc", Set, PROBE),
    rule("startupProbe.httpGet.host", Set, "a probe of another host"),
    rule("startupProbe.httpGet.scheme", Not(&["HTTP"]), "a probe over TLS"),
    rule("startupProbe.tcpSocket.host", Set, "a probe of another host"),
    rule("stdin", Set, ATTACH),
    rule("stdinOnce", Set, ATTACH),
    rule("tty", Set, ATTACH),
    rule("volumeDevices", Set, "a block device"),
    rule("volumeMounts[*].mountPropagation", Not(&["None"]), "propagating mounts"),
    rule(
        "volumeMounts[*].recursiveReadOnly",
        Not(&["Disabled", "IfPossible"]),
        "mounts that are read-only all the way down",
    ),
];

const ONE_NODE: &str = "it is not looked at, since there is one node";
const WAITS: &str = "the node has no such volumes: a pod with one waits, and its status says so";
const SELINUX: &str = "it has no effect, since Ebb sets no SELinux labels";

pub(super) const POD_TOLD: &[Rule] = &[
    rule("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", Set, ONE_NODE),
    rule("affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution", Set, ONE_NODE),
    rule("affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution", Set, ONE_NODE),
    rule("priorityClassName", Set, "it has no effect, since no pod has to make room for another"),
    rule("schedulerName", Not(&["default-scheduler"]), ONE_NODE),
    rule("securityContext.seLinuxOptions", Set, SELINUX),
    rule("subdomain", Set, "it has no effect, since this version of Ebb has no DNS in pods"),
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
