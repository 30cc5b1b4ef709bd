//! Endpoints and EndpointSlice.

use std::collections::BTreeSet;

use super::{FIELD_IMMUTABLE, address, check_one_of, invalid_each};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{EndpointSlice, EndpointSubset, Endpoints},
    names::dns,
};

const SLICE_ENDPOINTS_MAX: usize = 1000;
const SLICE_PORTS_MAX: usize = 20_000;
const ENDPOINT_ADDRESSES_MAX: usize = 100;
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

impl Rules for Endpoints {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        let ports = self.subsets.iter_mut().flatten().flat_map(|subset| subset.ports.iter_mut().flatten());
        for port in ports {
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let path = Path::root("subsets");
        // What an older Ebb took for right stays so until somebody changes it.
        let is_new = context.old.is_none_or(|old| old.subsets != self.subsets);
        for (index, subset) in self.subsets.iter().flatten().enumerate().filter(|_| is_new) {
            check_subset(subset, context.request.is_own, &path.index(index), &mut errors);
        }
        invalid(errors)
    }
}

fn check_subset(
    subset: &EndpointSubset,
    may_be_loopback: bool,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let parts = [
        ("addresses", subset.addresses.as_deref().unwrap_or_default()),
        ("notReadyAddresses", subset.not_ready_addresses.as_deref().unwrap_or_default()),
    ];
    if parts.iter().all(|(_, addresses)| addresses.is_empty()) {
        errors.push(FieldError::required(path, "must specify `addresses` or `notReadyAddresses`"));
    }
    for (field, addresses) in parts {
        let path = path.child(field);
        for (index, found) in addresses.iter().enumerate() {
            let path = path.index(index);
            address::check(&found.ip, &path.child("ip"), errors);
            if let Some(host) = found.hostname.as_deref().filter(|host| !host.is_empty()) {
                invalid_each(dns::label(host), host, &path.child("hostname"), errors);
            }
            if let Some(node) = &found.node_name {
                invalid_each(dns::subdomain(node), node, &path.child("nodeName"), errors);
            }
            address::check_of_endpoint(&found.ip, may_be_loopback, &path.child("ip"), errors);
        }
    }
    let (ports, path) = (subset.ports.as_deref().unwrap_or_default(), path.child("ports"));
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let at = path.child("name");
        match port.name.as_deref().unwrap_or_default() {
            "" if ports.len() > 1 => errors.push(FieldError::required(&at, "")),
            "" => {}
            name => invalid_each(dns::label(name), name, &at, errors),
        }
        let at = path.child("port");
        let wrong = dns::port(port.port.into());
        errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&at, port.port, why)));
        check_protocols(port.protocol.as_deref(), port.app_protocol.as_deref(), &path, errors);
    }
}

fn check_protocols(
    protocol: Option<&str>,
    app_protocol: Option<&str>,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    check_one_of(protocol, PROTOCOLS, &path.child("protocol"), errors);
    if let Some(protocol) = app_protocol {
        invalid_each(dns::qualified_name(protocol), protocol, &path.child("appProtocol"), errors);
    }
}

impl Rules for EndpointSlice {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        for port in self.ports.iter_mut().flatten() {
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
            port.name.get_or_insert_default();
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let path = Path::root("addressType");
        if self.address_type.is_empty() {
            errors.push(FieldError::required(&path, ""));
        } else {
            check_one_of(Some(&self.address_type), &["FQDN", "IPv4", "IPv6"], &path, &mut errors);
        }
        check_slice_ports(self, &mut errors);
        if context.old.is_none_or(|old| old.endpoints != self.endpoints) {
            check_slice_endpoints(self, context.request.is_own, &mut errors);
        }
        if context.old.is_some_and(|old| old.address_type != self.address_type) {
            errors.push(FieldError::invalid(&path, &self.address_type, FIELD_IMMUTABLE));
        }
        invalid(errors)
    }
}

fn check_slice_ports(slice: &EndpointSlice, errors: &mut Vec<FieldError>) {
    let (ports, path) = (slice.ports.as_deref().unwrap_or_default(), Path::root("ports"));
    if ports.len() > SLICE_PORTS_MAX {
        errors.push(FieldError::too_many(&path, ports.len(), SLICE_PORTS_MAX));
        return;
    }
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let (name, at) = (port.name.as_deref().unwrap_or_default(), path.child("name"));
        if !name.is_empty() {
            invalid_each(dns::label(name), name, &at, errors);
        }
        if !names.insert(name) {
            errors.push(FieldError::duplicate(&at, name));
        }
        check_protocols(port.protocol.as_deref(), port.app_protocol.as_deref(), &path, errors);
    }
}

fn check_slice_endpoints(slice: &EndpointSlice, may_be_loopback: bool, errors: &mut Vec<FieldError>) {
    let path = Path::root("endpoints");
    if slice.endpoints.len() > SLICE_ENDPOINTS_MAX {
        errors.push(FieldError::too_many(&path, slice.endpoints.len(), SLICE_ENDPOINTS_MAX));
        return;
    }
    for (index, endpoint) in slice.endpoints.iter().enumerate() {
        let path = path.index(index);
        let at = path.child("addresses");
        match endpoint.addresses.len() {
            0 => errors.push(FieldError::required(&at, "must contain at least 1 address")),
            count if count > ENDPOINT_ADDRESSES_MAX => {
                errors.push(FieldError::too_many(&at, count, ENDPOINT_ADDRESSES_MAX));
            }
            _ => {}
        }
        for (index, found) in endpoint.addresses.iter().enumerate() {
            check_slice_address(found, &slice.address_type, may_be_loopback, (&at, index), errors);
        }
        if let Some(node) = &endpoint.node_name {
            invalid_each(dns::subdomain(node), node, &path.child("nodeName"), errors);
        }
        if let Some(host) = &endpoint.hostname {
            invalid_each(dns::label(host), host, &path.child("hostname"), errors);
        }
    }
}

fn check_slice_address(
    found: &str,
    kind: &str,
    may_be_loopback: bool,
    (path, index): (&Path<'_>, usize),
    errors: &mut Vec<FieldError>,
) {
    let at = path.index(index);
    match kind {
        "IPv4" | "IPv6" => {
            if !address::check(found, &at, errors) {
                return;
            }
            if found.contains(':') != (kind == "IPv6") {
                errors.push(FieldError::invalid(path, found, format!("must be an {kind} address")));
            }
            address::check_of_endpoint(found, may_be_loopback, &at, errors);
        }
        "FQDN" => invalid_each(dns::domain_name(found), found, &at, errors),
        _ => {}
    }
}
