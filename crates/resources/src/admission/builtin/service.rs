//! Service. Its addresses and node ports are given out by the API server, which has them.

use std::collections::BTreeSet;

use super::{check_one_of, invalid_each};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        labels,
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{Service, ServicePort, ServiceSpec},
    meta::IntOrString,
    names::dns,
};

const EXTERNAL_NAME: &str = "ExternalName";
/// The `clusterIP` of a Service without one.
const HEADLESS: &str = "None";

impl Rules for Service {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let spec = self.spec.get_or_insert_default();
        spec.session_affinity.get_or_insert_with(|| "None".to_owned());
        let kind = spec.type_.get_or_insert_with(|| "ClusterIP".to_owned()).clone();
        for port in spec.ports.iter_mut().flatten() {
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
            port.target_port.get_or_insert(IntOrString::Int(port.port));
        }
        if kind == EXTERNAL_NAME {
            return;
        }
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
        spec.ip_family_policy.get_or_insert_with(|| "SingleStack".to_owned());
        spec.ip_families.get_or_insert_with(|| vec!["IPv4".to_owned()]);
        if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
            spec.external_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
        }
        if kind == "LoadBalancer" {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Label1035, true);
        let none = ServiceSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&none);
        let path = Path::root("spec");
        let types = ["ClusterIP", EXTERNAL_NAME, "LoadBalancer", "NodePort"];
        check_one_of(spec.type_.as_deref(), &types, &path.child("type"), &mut errors);
        let affinity = spec.session_affinity.as_deref();
        check_one_of(affinity, &["ClientIP", "None"], &path.child("sessionAffinity"), &mut errors);
        if let Some(selector) = &spec.selector {
            labels::validate(selector, &path.child("selector"), &mut errors);
        }
        check_address(spec, &path, &mut errors);
        check_ports(spec, &path.child("ports"), &mut errors);
        if let Some(old) = context.old.and_then(|old| old.spec.as_ref()) {
            check_update(spec, old, &path, &mut errors);
        }
        invalid(errors)
    }
}

fn is_external(spec: &ServiceSpec) -> bool {
    spec.type_.as_deref() == Some(EXTERNAL_NAME)
}

fn address(spec: &ServiceSpec) -> &str {
    spec.cluster_ip.as_deref().unwrap_or_default()
}

fn check_address(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let at = path.child("clusterIP");
    if is_external(spec) {
        let name = spec.external_name.as_deref().unwrap_or_default().trim_end_matches('.');
        let external = path.child("externalName");
        if name.is_empty() {
            errors.push(FieldError::required(&external, ""));
        } else {
            invalid_each(dns::subdomain(name), name, &external, errors);
        }
        if !address(spec).is_empty() {
            errors.push(FieldError::forbidden(&at, "may not be set when `type` is 'ExternalName'"));
        }
        return;
    }
    let kind = spec.type_.as_deref().unwrap_or_default();
    match address(spec) {
        "" => {}
        HEADLESS if kind != "ClusterIP" => {
            let why = format!("may not be set to 'None' for {kind} services");
            errors.push(FieldError::invalid(&at, HEADLESS, why));
        }
        HEADLESS => {}
        ip if ip.parse::<std::net::IpAddr>().is_err() => {
            let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            errors.push(FieldError::invalid(&at, ip, why));
        }
        _ => {}
    }
}

fn check_ports(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let ports = spec.ports.as_deref().unwrap_or_default();
    if ports.is_empty() && address(spec) != HEADLESS && !is_external(spec) {
        errors.push(FieldError::required(path, ""));
    }
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        check_port(port, ports.len() > 1, &mut names, &path, errors);
        if !numbers.insert((port.protocol.as_deref(), port.port)) {
            errors.push(FieldError::duplicate(&path, port));
        }
    }
}

fn check_port<'a>(
    port: &'a ServicePort,
    several: bool,
    names: &mut BTreeSet<&'a str>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let at = path.child("name");
    match port.name.as_deref().unwrap_or_default() {
        "" if several => errors.push(FieldError::required(&at, "")),
        "" => {}
        name => {
            let wrong = dns::label(name);
            if wrong.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(&at, name));
            }
            invalid_each(wrong, name, &at, errors);
        }
    }
    let number = |number: i32, field: &str, errors: &mut Vec<FieldError>| {
        let at = path.child(field);
        let wrong = dns::port(number.into());
        errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&at, number, why)));
    };
    number(port.port, "port", errors);
    match &port.target_port {
        Some(IntOrString::Int(target)) => number(*target, "targetPort", errors),
        Some(IntOrString::String(name)) => {
            invalid_each(dns::port_name(name), name, &path.child("targetPort"), errors);
        }
        None => {}
    }
    check_one_of(port.protocol.as_deref(), &["SCTP", "TCP", "UDP"], &path.child("protocol"), errors);
}

/// An address stays until the Service has no use for one.
fn check_update(spec: &ServiceSpec, old: &ServiceSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let had = address(old);
    if is_external(spec) || is_external(old) || had.is_empty() || address(spec) == had {
        return;
    }
    let at = path.child("clusterIPs");
    let at = at.index(0);
    if address(spec).is_empty() {
        errors.push(FieldError::invalid(&at, &spec.cluster_ips, "primary clusterIP can not be unset"));
    } else {
        errors.push(FieldError::invalid(&at, [address(spec)], "may not change once set"));
    }
}
