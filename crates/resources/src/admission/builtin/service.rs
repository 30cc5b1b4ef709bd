//! Service. What it is given out, an address and node ports, the API server has; the rules of that are here.

mod allocated;
mod families;
mod ports;

use std::net::IpAddr;

use super::{address, check_one_of, invalid_each};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        labels,
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{ClientIPConfig, Service, ServiceSpec, SessionAffinityConfig},
    meta::IntOrString,
    names::dns,
};

const CLUSTER_IP: &str = "ClusterIP";
const EXTERNAL_NAME: &str = "ExternalName";
const LOAD_BALANCER: &str = "LoadBalancer";
const NODE_PORT: &str = "NodePort";
/// The `clusterIP` of a Service without one.
const HEADLESS: &str = "None";
/// How long a client stays with one pod, by default and at most.
const AFFINITY_SECONDS: i32 = 10_800;
const AFFINITY_SECONDS_MAX: i32 = 86_400;

const ROOT: Path<'static> = Path::root("spec");

impl Rules for Service {
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        let old = context.old.and_then(|old| old.spec.as_ref());
        let spec = self.spec.get_or_insert_default();
        set_defaults(spec);
        if let Some(old) = old {
            allocated::keep(spec, old);
        }
        allocated::pair(spec, old);
        families::complete(spec, old);
        if let Some(old) = old {
            allocated::drop_unused(spec, old);
        }
        if kind(spec) == EXTERNAL_NAME {
            // Upstream kept it by mistake, and never shows it.
            spec.internal_traffic_policy = None;
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let none = ServiceSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        // Upstream finds these while it gives out addresses, before it looks at the rest.
        invalid(families::related(spec))?;
        let old = context.old.and_then(|old| old.spec.as_ref());
        invalid(families::not_configured(spec, old))?;
        let mut errors = metadata::validate(&self.metadata, NameRule::Label1035, true);
        if let Some(old) = old {
            families::check_update(spec, old, &mut errors);
            let class = &spec.load_balancer_class;
            if kind(spec) == LOAD_BALANCER && kind(old) == LOAD_BALANCER && *class != old.load_balancer_class
            {
                let at = ROOT.child("loadBalancerClass");
                errors.push(FieldError::invalid(&at, class, "may not change once set"));
            }
            if needs_health_check(spec)
                && needs_health_check(old)
                && spec.health_check_node_port != old.health_check_node_port
            {
                errors.push(FieldError::forbidden(&ROOT.child("healthCheckNodePort"), "field is immutable"));
            }
        }
        check(spec, &mut errors);
        invalid(errors)
    }

    fn validate_status(&self, _: &Self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let balancer = self.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        let ingress = balancer.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default();
        let status = Path::root("status");
        let path = status.child("loadBalancer");
        let path = path.child("ingress");
        if !ingress.is_empty() && self.spec.as_ref().is_none_or(|spec| kind(spec) != LOAD_BALANCER) {
            let why = "may only be used when `spec.type` is 'LoadBalancer'";
            errors.push(FieldError::forbidden(&path, why));
            return errors;
        }
        for (index, ingress) in ingress.iter().enumerate() {
            let path = path.index(index);
            if let Some(ip) = ingress.ip.as_deref().filter(|ip| !ip.is_empty()) {
                address::check(ip, &path.child("ip"), &mut errors);
            }
            if let Some(host) = ingress.hostname.as_deref().filter(|host| !host.is_empty()) {
                let at = path.child("hostname");
                invalid_each(dns::subdomain(host), host, &at, &mut errors);
                if host.parse::<IpAddr>().is_ok() {
                    let why = "must be a DNS name, not an IP address";
                    errors.push(FieldError::invalid(&at, host, why));
                }
            }
        }
        errors
    }
}

fn set_defaults(spec: &mut ServiceSpec) {
    match spec.session_affinity.get_or_insert_with(|| "None".to_owned()).as_str() {
        "None" => spec.session_affinity_config = None,
        "ClientIP" => {
            let config = spec.session_affinity_config.get_or_insert_with(SessionAffinityConfig::default);
            let client = config.client_ip.get_or_insert_with(ClientIPConfig::default);
            client.timeout_seconds.get_or_insert(AFFINITY_SECONDS);
        }
        _ => {}
    }
    spec.type_.get_or_insert_with(|| CLUSTER_IP.to_owned());
    for port in spec.ports.iter_mut().flatten() {
        port.protocol.get_or_insert_with(|| "TCP".to_owned());
        let none = [IntOrString::Int(0), IntOrString::String(String::new())];
        if port.target_port.as_ref().is_none_or(|target| none.contains(target)) {
            port.target_port = Some(IntOrString::Int(port.port));
        }
        // Nothing has port 0: it says that none is asked for.
        port.node_port = port.node_port.filter(|port| *port != 0);
    }
    spec.health_check_node_port = spec.health_check_node_port.filter(|port| *port != 0);
    if is_reached_from_outside(spec) {
        spec.external_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
    }
    if [CLUSTER_IP, NODE_PORT, LOAD_BALANCER].contains(&kind(spec)) {
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
    }
    if kind(spec) == LOAD_BALANCER {
        spec.allocate_load_balancer_node_ports.get_or_insert(true);
    }
}

fn kind(spec: &ServiceSpec) -> &str {
    spec.type_.as_deref().unwrap_or_default()
}

fn cluster_ips(spec: &ServiceSpec) -> &[String] {
    spec.cluster_ips.as_deref().unwrap_or_default()
}

fn is_headless(spec: &ServiceSpec) -> bool {
    matches!(cluster_ips(spec), [only] if only == HEADLESS)
}

fn is_reached_from_outside(spec: &ServiceSpec) -> bool {
    [NODE_PORT, LOAD_BALANCER].contains(&kind(spec))
        || kind(spec) == CLUSTER_IP && spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty())
}

/// Whether balancers ask a port of the node whether it has pods of this Service.
fn needs_health_check(spec: &ServiceSpec) -> bool {
    kind(spec) == LOAD_BALANCER && spec.external_traffic_policy.as_deref() == Some("Local")
}

/// All that does not depend on what was there before, in upstream's order (`validateService`).
fn check(spec: &ServiceSpec, errors: &mut Vec<FieldError>) {
    if spec.ports.as_ref().is_none_or(Vec::is_empty) && !is_headless(spec) && kind(spec) != EXTERNAL_NAME {
        errors.push(FieldError::required(&ROOT.child("ports"), ""));
    }
    check_kind(spec, errors);
    ports::check_each(spec, &ROOT.child("ports"), errors);
    if let Some(selector) = &spec.selector {
        labels::validate(selector, &ROOT.child("selector"), errors);
    }
    check_affinity(spec, errors);
    for (index, ip) in spec.external_ips.iter().flatten().enumerate() {
        let at = ROOT.child("externalIPs");
        let at = at.index(index);
        if address::check(ip, &at, errors) {
            address::check_of_endpoint(ip, false, &at, errors);
        }
    }
    let kinds = [CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT];
    check_one_of(spec.type_.as_deref(), &kinds, &ROOT.child("type"), errors);
    ports::check_together(spec, &ROOT.child("ports"), errors);
    check_balancer(spec, errors);
    check_policies(spec, errors);
}

/// What goes with the type of a Service.
fn check_kind(spec: &ServiceSpec, errors: &mut Vec<FieldError>) {
    match kind(spec) {
        balanced @ (LOAD_BALANCER | NODE_PORT) if is_headless(spec) => {
            let why = format!("may not be set to 'None' for {balanced} services");
            errors.push(FieldError::invalid(&ROOT.child("clusterIPs").index(0), HEADLESS, why));
        }
        EXTERNAL_NAME => {
            let set = [
                ("clusterIPs", !cluster_ips(spec).is_empty()),
                ("ipFamilies", spec.ip_families.as_ref().is_some_and(|families| !families.is_empty())),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ];
            for (field, _) in set.into_iter().filter(|(_, set)| *set) {
                let why = "may not be set for ExternalName services";
                errors.push(FieldError::forbidden(&ROOT.child(field), why));
            }
            let name = spec.external_name.as_deref().unwrap_or_default();
            let (name, at) = (name.strip_suffix('.').unwrap_or(name), ROOT.child("externalName"));
            match name {
                "" => errors.push(FieldError::required(&at, "")),
                name => invalid_each(dns::subdomain(name), name, &at, errors),
            }
        }
        _ => {}
    }
}

fn check_affinity(spec: &ServiceSpec, errors: &mut Vec<FieldError>) {
    let affinity = spec.session_affinity.as_deref();
    check_one_of(affinity, &["ClientIP", "None"], &ROOT.child("sessionAffinity"), errors);
    let config = spec.session_affinity_config.as_ref();
    let seconds = config.and_then(|config| config.client_ip.as_ref()?.timeout_seconds);
    if let (Some("ClientIP"), Some(seconds)) = (affinity, seconds)
        && !(1..=AFFINITY_SECONDS_MAX).contains(&seconds)
    {
        let at = ROOT.child("sessionAffinityConfig");
        let at = at.child("clientIP");
        let why = format!("must be greater than 0 and less than {AFFINITY_SECONDS_MAX}");
        errors.push(FieldError::invalid(&at.child("timeoutSeconds"), seconds, why));
    }
}

fn check_balancer(spec: &ServiceSpec, errors: &mut Vec<FieldError>) {
    let is_balanced = kind(spec) == LOAD_BALANCER;
    let why = "may only be used when `type` is 'LoadBalancer'";
    let at = ROOT.child("LoadBalancerSourceRanges");
    let ranges = spec.load_balancer_source_ranges.as_deref().unwrap_or_default();
    if !ranges.is_empty() && !is_balanced {
        errors.push(FieldError::forbidden(&at, why));
    }
    for (index, range) in ranges.iter().enumerate() {
        address::check_range(range.trim(), &at.index(index), errors);
    }
    if spec.allocate_load_balancer_node_ports.is_some() && !is_balanced {
        errors.push(FieldError::forbidden(&ROOT.child("allocateLoadBalancerNodePorts"), why));
    }
    let at = ROOT.child("loadBalancerClass");
    match &spec.load_balancer_class {
        Some(class) if is_balanced => invalid_each(dns::qualified_name(class), class, &at, errors),
        Some(_) => errors.push(FieldError::forbidden(&at, why)),
        None => {}
    }
}

fn check_policies(spec: &ServiceSpec, errors: &mut Vec<FieldError>) {
    let (policies, at) = (["Cluster", "Local"], ROOT.child("externalTrafficPolicy"));
    match spec.external_traffic_policy.as_deref().filter(|policy| !policy.is_empty()) {
        Some(policy) if !is_reached_from_outside(spec) => {
            let why = "may only be set for externally-accessible services";
            errors.push(FieldError::invalid(&at, policy, why));
        }
        policy => check_one_of(policy, &policies, &at, errors),
    }
    let at = ROOT.child("healthCheckNodePort");
    match spec.health_check_node_port {
        Some(port) if !needs_health_check(spec) => {
            let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            errors.push(FieldError::invalid(&at, port, why));
        }
        Some(port) => {
            errors.extend(dns::port(port.into()).into_iter().map(|why| FieldError::invalid(&at, port, why)));
        }
        // The API server gives one out.
        None => {}
    }
    let policy = spec.internal_traffic_policy.as_deref();
    check_one_of(policy, &policies, &ROOT.child("internalTrafficPolicy"), errors);
    let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    let distribution = spec.traffic_distribution.as_deref();
    check_one_of(distribution, &distributions, &ROOT.child("trafficDistribution"), errors);
}
