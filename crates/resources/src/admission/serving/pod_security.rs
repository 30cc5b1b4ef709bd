//! Security contexts: what may be set, what is set by default, and what Knative warns of.

use crate::{
    admission::{KnativeErrors, Path},
    builtin::{Capabilities, Container, PodSecurityContext, SeccompProfile, SecurityContext},
    config::{Features, Flag},
};

/// The highest user and group.
const ID_MAX: i64 = i32::MAX as i64;
const NET_BIND_SERVICE: &str = "NET_BIND_SERVICE";

/// Says what is wrong with a pod's security context.
pub(super) fn validate_pod(
    security: &PodSecurityContext,
    path: Path<'_>,
    features: &Features,
    errors: &mut KnativeErrors,
) {
    let allowed = features.security_context.is_allowed();
    // With secure-pod-defaults alone only the two plain profiles may be chosen.
    let plain_profile = |profile: &SeccompProfile| {
        matches!(profile.type_.as_str(), "RuntimeDefault" | "Unconfined")
            && profile.localhost_profile.is_none()
    };
    let seccomp = security.seccomp_profile.as_ref();
    let seccomp_allowed = allowed || (features.secures_pods() && seccomp.is_some_and(plain_profile));
    for (field, set, allowed) in [
        ("runAsUser", security.run_as_user.is_some(), allowed),
        ("runAsGroup", security.run_as_group.is_some(), allowed),
        ("runAsNonRoot", security.run_as_non_root.is_some(), allowed),
        ("fsGroup", security.fs_group.is_some(), allowed),
        ("supplementalGroups", security.supplemental_groups.is_some(), allowed),
        ("seccompProfile", seccomp.is_some(), seccomp_allowed),
        ("seLinuxOptions", security.se_linux_options.is_some(), false),
        ("seLinuxChangePolicy", security.se_linux_change_policy.is_some(), false),
        ("windowsOptions", security.windows_options.is_some(), false),
        ("sysctls", security.sysctls.is_some(), false),
        ("fsGroupChangePolicy", security.fs_group_change_policy.is_some(), false),
        ("supplementalGroupsPolicy", security.supplemental_groups_policy.is_some(), false),
        ("appArmorProfile", security.app_armor_profile.is_some(), false),
    ] {
        if set && !allowed {
            errors.disallowed(path.child(field));
        }
    }
    check_id(security.run_as_user, path.child("runAsUser"), errors);
    check_id(security.run_as_group, path.child("runAsGroup"), errors);
    check_id(security.fs_group, path.child("fsGroup"), errors);
    let groups = path.child("supplementalGroups");
    for (index, group) in security.supplemental_groups.iter().flatten().enumerate() {
        check_id(Some(*group), groups.index(index), errors);
    }
}

/// Says what is wrong with a container's security context.
pub(super) fn validate_container(
    security: &SecurityContext,
    path: Path<'_>,
    features: &Features,
    errors: &mut KnativeErrors,
) {
    for (field, set) in [
        ("privileged", security.privileged == Some(true)),
        ("seLinuxOptions", security.se_linux_options.is_some()),
        ("windowsOptions", security.windows_options.is_some()),
        ("procMount", security.proc_mount.is_some()),
        ("appArmorProfile", security.app_armor_profile.is_some()),
    ] {
        if set {
            errors.disallowed(path.child(field));
        }
    }
    let added = security.capabilities.as_ref().and_then(|capabilities| capabilities.add.as_deref());
    if let Some(added) = added.filter(|added| !added.is_empty()) {
        let low_ports_only = features.secures_pods() && added == [NET_BIND_SERVICE];
        if !features.add_capabilities.is_enabled() && !low_ports_only {
            let capabilities = path.child("capabilities");
            errors.disallowed(capabilities.child("add"));
        }
    }
    check_id(security.run_as_user, path.child("runAsUser"), errors);
    check_id(security.run_as_group, path.child("runAsGroup"), errors);
}

fn check_id(id: Option<i64>, path: Path<'_>, errors: &mut KnativeErrors) {
    if let Some(id) = id.filter(|id| !(0..=ID_MAX).contains(id)) {
        errors.out_of_bounds(id, 0, ID_MAX, path);
    }
}

/// What `secure-pod-defaults` sets where neither container nor pod says.
pub(super) fn set_defaults(container: &mut Container, pod: Option<&PodSecurityContext>, features: &Features) {
    if !features.secures_pods() {
        return;
    }
    let low_port = container.ports.iter().flatten().any(|port| port.container_port < 1024);
    let security = container.security_context.get_or_insert_with(SecurityContext::default);
    security.allow_privilege_escalation.get_or_insert(false);
    let pod_profile = pod.and_then(|pod| pod.seccomp_profile.as_ref());
    if pod_profile.is_none_or(|profile| profile.type_.is_empty()) {
        let profile = security.seccomp_profile.get_or_insert_with(SeccompProfile::default);
        if profile.type_.is_empty() {
            profile.type_ = "RuntimeDefault".to_owned();
        }
    }
    security.capabilities.get_or_insert_with(|| Capabilities {
        drop: Some(vec!["ALL".to_owned()]),
        add: low_port.then(|| vec![NET_BIND_SERVICE.to_owned()]),
    });
    let pod_says = pod.is_some_and(|pod| pod.run_as_non_root.is_some());
    if features.secure_pod_defaults == Flag::Enabled && !pod_says {
        security.run_as_non_root.get_or_insert(true);
    }
}

/// Warns where Kubernetes' own default is not the safe one.
pub(super) fn warn(
    container: &Container,
    pod: Option<&PodSecurityContext>,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    const INSECURE: &str =
        "Kubernetes default value is insecure, Knative may default this to secure in a future release";
    let none = SecurityContext::default();
    let security = container.security_context.as_ref().unwrap_or(&none);
    let profiles = [security.seccomp_profile.as_ref(), pod.and_then(|pod| pod.seccomp_profile.as_ref())];
    let drop = security.capabilities.as_ref().map(|capabilities| capabilities.drop.as_deref());
    let non_root = security.run_as_non_root.or(pod.and_then(|pod| pod.run_as_non_root));
    let capabilities = path.child("capabilities");
    let seccomp = path.child("seccompProfile");
    for (unset, path) in [
        (non_root.is_none(), path.child("runAsNonRoot")),
        (security.allow_privilege_escalation.is_none(), path.child("allowPrivilegeEscalation")),
        (profiles.iter().all(Option::is_none), seccomp),
        (
            profiles.iter().any(Option::is_some)
                && profiles.iter().flatten().all(|profile| profile.type_.is_empty()),
            seccomp.child("type"),
        ),
        (drop.is_none(), capabilities),
        (drop == Some(None), capabilities.child("drop")),
    ] {
        if unset {
            errors.warn(INSECURE, &[path], "");
        }
    }
    if let Some(Some([first, ..])) = drop
        && first == "all"
    {
        errors.warn("invalid value: all", &[capabilities.child("drop")], "Must be spelled as 'ALL'");
    }
}
