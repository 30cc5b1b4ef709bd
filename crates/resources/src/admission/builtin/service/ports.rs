//! The ports of a Service.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{CLUSTER_IP, check_one_of, dns, invalid_each, kind};
use crate::{
    admission::{FieldError, path::Path},
    builtin::{ServicePort, ServiceSpec},
    meta::IntOrString,
};

/// What no two ports of a Service have in common, as upstream writes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Twice<'a> {
    name: &'a str,
    protocol: &'a str,
    app_protocol: (),
    port: i32,
    target_port: i32,
    node_port: i32,
}

pub(super) fn check_each(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let ports = spec.ports.as_deref().unwrap_or_default();
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        check_port(port, ports.len() > 1, &mut names, &path.index(index), errors);
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
            invalid_each(dns::label(name), name, &at, errors);
            if !names.insert(name) {
                errors.push(FieldError::duplicate(&at, name));
            }
        }
    }
    let number = |number: i32, field: &str, errors: &mut Vec<FieldError>| {
        let at = path.child(field);
        let wrong = dns::port(number.into());
        errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&at, number, why)));
    };
    number(port.port, "port", errors);
    check_one_of(port.protocol.as_deref(), &["SCTP", "TCP", "UDP"], &path.child("protocol"), errors);
    match &port.target_port {
        Some(IntOrString::Int(target)) => number(*target, "targetPort", errors),
        Some(IntOrString::String(name)) => {
            invalid_each(dns::port_name(name), name, &path.child("targetPort"), errors);
        }
        None => {}
    }
    if let Some(protocol) = &port.app_protocol {
        invalid_each(dns::qualified_name(protocol), protocol, &path.child("appProtocol"), errors);
    }
}

/// What no two ports may have in common.
pub(super) fn check_together(spec: &ServiceSpec, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let ports = || spec.ports.iter().flatten().enumerate();
    let protocol = |port: &ServicePort| port.protocol.clone().unwrap_or_default();
    if kind(spec) == CLUSTER_IP {
        for (index, _) in ports().filter(|(_, port)| port.node_port.is_some()) {
            let why = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(&path.index(index).child("nodePort"), why));
        }
    }
    let mut known = BTreeSet::new();
    for (index, port) in ports() {
        if port.node_port.is_some() && !known.insert((protocol(port), port.node_port)) {
            errors.push(FieldError::duplicate(&path.index(index).child("nodePort"), port.node_port));
        }
    }
    let mut known = BTreeSet::new();
    for (index, port) in ports() {
        if !known.insert((protocol(port), port.port)) {
            let (protocol, port) = (&*protocol(port), port.port);
            let twice = Twice { name: "", protocol, app_protocol: (), port, target_port: 0, node_port: 0 };
            errors.push(FieldError::duplicate(&path.index(index), twice));
        }
    }
}
