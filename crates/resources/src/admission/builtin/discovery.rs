//! Endpoints and EndpointSlice.

use super::{FIELD_IMMUTABLE, check_one_of};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{EndpointSlice, Endpoints},
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

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let path = Path::root("subsets");
        for (index, subset) in self.subsets.iter().flatten().enumerate() {
            let path = path.index(index);
            let addresses =
                subset.addresses.iter().flatten().chain(subset.not_ready_addresses.iter().flatten());
            if addresses.clone().next().is_none() {
                errors.push(FieldError::required(&path, "must specify `addresses` or `notReadyAddresses`"));
            }
            for address in addresses {
                let at = path.child("addresses");
                check_address(&address.ip, &at.child("ip"), &mut errors);
            }
            let at = path.child("ports");
            for (index, port) in subset.ports.iter().flatten().enumerate() {
                let at = at.index(index);
                check_port(Some(port.port), port.protocol.as_deref(), &at, &mut errors);
            }
        }
        invalid(errors)
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
        if context.old.is_some_and(|old| old.address_type != self.address_type) {
            errors.push(FieldError::invalid(&path, &self.address_type, FIELD_IMMUTABLE));
        }
        let ports = self.ports.as_deref().unwrap_or_default();
        for (field, count, max) in [
            ("endpoints", self.endpoints.len(), SLICE_ENDPOINTS_MAX),
            ("ports", ports.len(), SLICE_PORTS_MAX),
        ] {
            if count > max {
                errors.push(FieldError::too_many(&Path::root(field), count, max));
            }
        }
        let path = Path::root("endpoints");
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let path = path.index(index);
            let path = path.child("addresses");
            match endpoint.addresses.len() {
                0 => errors.push(FieldError::required(&path, "must contain at least 1 address")),
                count if count > ENDPOINT_ADDRESSES_MAX => {
                    errors.push(FieldError::too_many(&path, count, ENDPOINT_ADDRESSES_MAX));
                }
                _ => {}
            }
            if self.address_type != "FQDN" {
                for (index, address) in endpoint.addresses.iter().enumerate() {
                    check_address(address, &path.index(index), &mut errors);
                }
            }
        }
        let path = Path::root("ports");
        for (index, port) in ports.iter().enumerate() {
            check_port(port.port, port.protocol.as_deref(), &path.index(index), &mut errors);
        }
        invalid(errors)
    }
}

fn check_address(address: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if address.parse::<std::net::IpAddr>().is_err() {
        let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        errors.push(FieldError::invalid(path, address, why));
    }
}

fn check_port(port: Option<i32>, protocol: Option<&str>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(port) = port {
        let at = path.child("port");
        let wrong = dns::port(port.into());
        errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&at, port, why)));
    }
    check_one_of(protocol, PROTOCOLS, &path.child("protocol"), errors);
}
