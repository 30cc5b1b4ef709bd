//! The Ingress of a Route (upstream: serving, route/resources/ingress.go).

use std::collections::BTreeMap;

use resources::{
    Object,
    annotations::{CERTIFICATE_CLASS, HTTP_PROTOCOL, INGRESS_CLASS},
    config::{Configs, HttpProtocol},
    labels,
    meta::IntOrString,
    names,
    networking::{
        HeaderMatch, HttpIngressPath, HttpIngressRuleValue, Ingress, IngressRule, IngressSpec, IngressSplit,
    },
    serving::Route,
};

use super::{
    hosts::TagHosts,
    traffic::{Target, shares},
};
use crate::serving::child::{self, take_metadata};

const REVISION_HEADER: &str = "Knative-Serving-Revision";
const NAMESPACE_HEADER: &str = "Knative-Serving-Namespace";
const TAG_HEADER: &str = "Knative-Serving-Tag";
const DEFAULT_ROUTE_HEADER: &str = "Knative-Serving-Default-Route";

const CLUSTER_LOCAL: &str = "ClusterLocal";
const EXTERNAL_IP: &str = "ExternalIP";

/// The Ingress that sends a Route's requests to its targets.
pub(super) fn desired_ingress(
    route: &Route,
    targets: &[Target],
    hosts: &[TagHosts],
    configs: &Configs,
) -> Ingress {
    let mut labels = child::labels(&route.metadata);
    labels.insert(labels::ROUTE.to_owned(), route.name().to_owned());
    labels.insert(labels::ROUTE_NAMESPACE.to_owned(), route.namespace().to_owned());
    let mut annotations = child::annotations(&route.metadata);
    let class = INGRESS_CLASS
        .find(&annotations)
        .map_or(configs.network.ingress_class.clone(), |(_, class)| class.to_owned());
    for key in INGRESS_CLASS.spellings().iter().chain(CERTIFICATE_CLASS.spellings()).skip(1) {
        annotations.remove(*key);
    }
    annotations.insert(INGRESS_CLASS.name().to_owned(), class);
    let rules = hosts.iter().flat_map(|host| rules(route, host, targets, configs)).collect();
    Ingress::new(
        child::metadata(route, names::ingress(route.name()), labels, annotations),
        IngressSpec { http_option: http_option(route, configs), rules, tls: Vec::new() },
    )
}

/// `existing` as `desired` asks.
pub(super) fn merge(existing: &Ingress, desired: Ingress) -> Ingress {
    let mut merged = existing.clone();
    take_metadata(&mut merged.metadata, desired.metadata, &[]);
    merged.spec = desired.spec;
    merged
}

fn http_option(route: &Route, configs: &Configs) -> Option<String> {
    let option = |redirected| Some(if redirected { "Redirected" } else { "Enabled" }.to_owned());
    if let Some(own) = HTTP_PROTOCOL.of(&route.metadata) {
        return option(own.eq_ignore_ascii_case("redirected"));
    }
    match configs.network.http_protocol {
        HttpProtocol::Enabled => option(false),
        HttpProtocol::Redirected => option(true),
        HttpProtocol::Disabled => None,
    }
}

/// A rule for the names inside, and one for the name outside.
fn rules(route: &Route, host: &TagHosts, targets: &[Target], configs: &Configs) -> Vec<IngressRule> {
    let by_header = configs.features.tag_header_based_routing.is_enabled();
    let paths = paths(route, host, targets, by_header);
    let rule = |hosts: Vec<String>, visibility: &str| IngressRule {
        hosts,
        visibility: Some(visibility.to_owned()),
        http: Some(HttpIngressRuleValue { paths: paths.clone() }),
    };
    let mut rules = vec![rule(host.local.clone(), CLUSTER_LOCAL)];
    rules.extend(host.public.clone().map(|public| rule(vec![public], EXTERNAL_IP)));
    rules
}

/// With `by_header` a request can also name its tag in a header, and its app is told by which way it came.
fn paths(route: &Route, host: &TagHosts, targets: &[Target], by_header: bool) -> Vec<HttpIngressPath> {
    let mut main = path(route, &host.targets(targets));
    if !by_header {
        return vec![main];
    }
    if !host.tag.is_empty() {
        main.append_headers.insert(TAG_HEADER.to_owned(), host.tag.clone());
        return vec![main];
    }
    main.append_headers.insert(DEFAULT_ROUTE_HEADER.to_owned(), "true".to_owned());
    let tagged = targets.iter().filter(|target| !target.tag.is_empty());
    let mut paths: Vec<_> = tagged
        .map(|target| HttpIngressPath {
            headers: BTreeMap::from([(TAG_HEADER.to_owned(), HeaderMatch { exact: target.tag.clone() })]),
            ..path(route, &[Target { percent: 100, ..target.clone() }])
        })
        .collect();
    paths.push(main);
    paths
}

fn path(route: &Route, targets: &[Target]) -> HttpIngressPath {
    let splits = shares(targets).into_iter().map(|target| split(route, &target)).collect();
    HttpIngressPath { splits, ..HttpIngressPath::default() }
}

fn split(route: &Route, target: &Target) -> IngressSplit {
    let headers = [(REVISION_HEADER, target.revision.as_str()), (NAMESPACE_HEADER, route.namespace())];
    IngressSplit {
        service_namespace: route.namespace().to_owned(),
        service_name: names::public_service(&target.revision),
        service_port: IntOrString::Int(target.protocol.service_port()),
        percent: target.percent,
        append_headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

#[cfg(test)]
mod tests;
