//! What a Service was given stays over an update that does not speak of it, and goes when its type has no use for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT, is_reached_from_outside, kind, needs_health_check};
use crate::builtin::ServiceSpec;

/// Puts in what was given out before, where the new spec leaves it out (upstream: `patchAllocatedValues`).
pub(super) fn keep(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if has_address(spec) && has_address(old) {
        if spec.cluster_ip.as_deref().unwrap_or_default().is_empty() {
            spec.cluster_ip.clone_from(&old.cluster_ip);
        }
        if spec.cluster_ips.as_ref().is_none_or(Vec::is_empty) {
            spec.cluster_ips.clone_from(&old.cluster_ips);
        }
    }
    if is_given_node_ports(spec) && is_given_node_ports(old) {
        let both: BTreeSet<i32> = node_ports(spec).intersection(&node_ports(old)).copied().collect();
        let by_name: BTreeMap<Option<&String>, Option<i32>> =
            old.ports.iter().flatten().map(|port| (port.name.as_ref(), port.node_port)).collect();
        for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.is_none()) {
            let known = by_name.get(&port.name.as_ref()).copied().flatten();
            port.node_port = known.filter(|known| !both.contains(known));
        }
    }
    if needs_health_check(spec) && needs_health_check(old) && spec.health_check_node_port.is_none() {
        spec.health_check_node_port = old.health_check_node_port;
    }
}

/// `clusterIP` and `clusterIPs` say the same; who knows only one of them changes both (upstream: `normalizeClusterIPs`).
pub(super) fn pair(spec: &mut ServiceSpec, old: Option<&ServiceSpec>) {
    let text = |spec: &ServiceSpec| spec.cluster_ip.clone().unwrap_or_default();
    let all = |spec: &ServiceSpec| spec.cluster_ips.clone().unwrap_or_default();
    let Some(old) = old else {
        if !text(spec).is_empty() && all(spec).is_empty() {
            spec.cluster_ips = Some(vec![text(spec)]);
        }
        return;
    };
    if !all(old).is_empty() && all(spec).is_empty() && text(old) == text(spec) {
        spec.cluster_ips.clone_from(&old.cluster_ips);
    }
    if text(old) != text(spec) && all(old) == all(spec) {
        spec.cluster_ips = if text(spec).is_empty() { None } else { Some(vec![text(spec)]) };
    }
}

/// Takes away what the new type has no use for, unless it was changed in the same breath: that is for validation to
/// refuse (upstream: `dropTypeDependentFields`).
pub(super) fn drop_unused(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if has_address(old) && !has_address(spec) {
        if spec.cluster_ip == old.cluster_ip && spec.cluster_ips == old.cluster_ips {
            (spec.cluster_ip, spec.cluster_ips) = (None, None);
        }
        if spec.ip_families == old.ip_families {
            spec.ip_families = None;
        }
        if spec.ip_family_policy == old.ip_family_policy {
            spec.ip_family_policy = None;
        }
    }
    if uses_node_ports(old) && !uses_node_ports(spec) && node_ports(spec).is_subset(&node_ports(old)) {
        spec.ports.iter_mut().flatten().for_each(|port| port.node_port = None);
    }
    if needs_health_check(old)
        && !needs_health_check(spec)
        && spec.health_check_node_port == old.health_check_node_port
    {
        spec.health_check_node_port = None;
    }
    if kind(old) == LOAD_BALANCER && kind(spec) != LOAD_BALANCER {
        if spec.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports {
            spec.allocate_load_balancer_node_ports = None;
        }
        if spec.load_balancer_class == old.load_balancer_class {
            spec.load_balancer_class = None;
        }
    }
    if is_reached_from_outside(old)
        && !is_reached_from_outside(spec)
        && spec.external_traffic_policy == old.external_traffic_policy
    {
        spec.external_traffic_policy = None;
    }
}

fn has_address(spec: &ServiceSpec) -> bool {
    kind(spec) != EXTERNAL_NAME
}

fn uses_node_ports(spec: &ServiceSpec) -> bool {
    [NODE_PORT, LOAD_BALANCER].contains(&kind(spec))
}

/// Whether each of its ports gets one of the node.
fn is_given_node_ports(spec: &ServiceSpec) -> bool {
    kind(spec) == NODE_PORT
        || kind(spec) == LOAD_BALANCER && spec.allocate_load_balancer_node_ports != Some(false)
}

fn node_ports(spec: &ServiceSpec) -> BTreeSet<i32> {
    spec.ports.iter().flatten().filter_map(|port| port.node_port).collect()
}
