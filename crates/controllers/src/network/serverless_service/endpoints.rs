//! Where the public Service leads: to the instances or to the activators (upstream: serving, serverlessservice).

use resources::{
    Object,
    builtin::{EndpointSubset, Endpoints},
    networking::{ServerlessService, ServerlessServiceMode},
    reserved::BACKEND_HTTPS_PORT,
};

use crate::serving::{Protocol, child};

/// The subsets of the public Service's endpoints, and whether they are the activators'.
///
/// The mode is a wish: without instances requests must wait at the activators, without activators they can only go to
/// the instances.
pub(super) fn public_subsets(
    sks: &ServerlessService,
    private: Option<&Endpoints>,
    activators: Option<&Endpoints>,
) -> (Vec<EndpointSubset>, bool) {
    let proxy = sks.spec.mode == ServerlessServiceMode::Proxy || ready(private) == 0;
    let proxy = proxy && ready(activators) > 0;
    let Some(source) = (if proxy { activators } else { private }) else { return (Vec::new(), proxy) };
    let limit = if proxy { usize::try_from(sks.spec.num_activators).unwrap_or(0) } else { 0 };
    (subsets(sks, source, limit), proxy)
}

/// The public Service's endpoints.
pub(super) fn desired_endpoints(sks: &ServerlessService, subsets: Vec<EndpointSubset>) -> Endpoints {
    let metadata = child::metadata(
        sks,
        resources::names::public_service(sks.name()),
        child::labels(&sks.metadata),
        child::annotations(&sks.metadata),
    );
    Endpoints { metadata, subsets: (!subsets.is_empty()).then_some(subsets) }
}

pub(super) fn merge(existing: &Endpoints, desired: Endpoints) -> Endpoints {
    Endpoints { subsets: desired.subsets, ..existing.clone() }
}

fn ready(endpoints: Option<&Endpoints>) -> usize {
    let subsets = endpoints.into_iter().flat_map(|endpoints| endpoints.subsets.iter().flatten());
    subsets.map(|subset| subset.addresses.as_ref().map_or(0, Vec::len)).sum()
}

/// The ready addresses with the ports that the public Service has; at most `limit` of them, unless that is 0.
fn subsets(sks: &ServerlessService, source: &Endpoints, limit: usize) -> Vec<EndpointSubset> {
    let wanted = [Protocol::parse(&sks.spec.protocol_type).queue_port(), BACKEND_HTTPS_PORT];
    let mut left = if limit == 0 { usize::MAX } else { limit };
    let mut subsets = Vec::new();
    for subset in source.subsets.iter().flatten() {
        let mut addresses = subset.addresses.clone().unwrap_or_default();
        // Each ServerlessService begins elsewhere, so that they spread over the activators.
        let turn = sks.name().bytes().map(usize::from).sum::<usize>() % addresses.len().max(1);
        addresses.rotate_left(turn);
        addresses.truncate(left);
        left -= addresses.len();
        let ports =
            subset.ports.iter().flatten().filter(|port| wanted.contains(&port.port)).cloned().collect();
        if !addresses.is_empty() {
            subsets.push(EndpointSubset {
                addresses: Some(addresses),
                ports: Some(ports),
                not_ready_addresses: None,
            });
        }
    }
    subsets
}

#[cfg(test)]
mod tests;
