//! Cells of services, endpoints and endpoint slices (upstream: `pkg/printers/internalversion`).

use jiff::Timestamp;
use serde_json::Value;

use super::{
    items, number, text,
    workloads::{equalities, or_none},
};

/// How many endpoints or ports a cell names before it says `+ N more...`.
const SHOWN_MAX: usize = 3;

pub(super) fn cluster_ip(service: &Value, _: Timestamp) -> Value {
    or_none(text(service, "/spec/clusterIP").to_owned())
}

pub(super) fn external_ip(service: &Value, _: Timestamp) -> Value {
    let addresses = |pointer: &str| -> Vec<String> {
        items(service, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    match text(service, "/spec/type") {
        "ExternalName" => text(service, "/spec/externalName").into(),
        "LoadBalancer" => {
            let ingress = items(service, "/status/loadBalancer/ingress").iter();
            let mut all: Vec<String> = ingress
                .map(|point| [text(point, "/ip"), text(point, "/hostname")].concat())
                .filter(|point| !point.is_empty())
                .collect();
            all.extend(addresses("/spec/externalIPs"));
            if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
        }
        _ => or_none(addresses("/spec/externalIPs").join(",")),
    }
}

/// `80/TCP,443:30443/TCP`.
pub(super) fn service_ports(service: &Value, _: Timestamp) -> Value {
    let ports = items(service, "/spec/ports").iter().map(|port| {
        let protocol = Some(text(port, "/protocol")).filter(|protocol| !protocol.is_empty()).unwrap_or("TCP");
        match (number(port, "/port"), number(port, "/nodePort")) {
            (port, 0) => format!("{port}/{protocol}"),
            (port, node_port) => format!("{port}:{node_port}/{protocol}"),
        }
    });
    or_none(ports.collect::<Vec<_>>().join(","))
}

pub(super) fn service_selector(service: &Value, _: Timestamp) -> Value {
    let labels = service.pointer("/spec/selector").and_then(Value::as_object);
    or_none(labels.into_iter().flat_map(equalities).collect::<Vec<_>>().join(","))
}

/// `10.0.0.1:80,10.0.0.2:80 + 3 more...`.
pub(super) fn endpoints(endpoints: &Value, _: Timestamp) -> Value {
    let mut all = Vec::new();
    for subset in items(endpoints, "/subsets") {
        let addresses = || items(subset, "/addresses").iter().map(|address| text(address, "/ip"));
        let ports = items(subset, "/ports");
        if ports.is_empty() {
            all.extend(addresses().map(str::to_owned));
        }
        for port in ports {
            all.extend(addresses().map(|address| format!("{address}:{}", number(port, "/port"))));
        }
    }
    shortened(&all, "<none>")
}

pub(super) fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let ports = items(slice, "/ports").iter().map(|port| match port.get("port").and_then(Value::as_i64) {
        Some(port) => port.to_string(),
        None => "*".to_owned(),
    });
    shortened(&ports.collect::<Vec<_>>(), "<unset>")
}

pub(super) fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let addresses = items(slice, "/endpoints").iter().flat_map(|endpoint| items(endpoint, "/addresses"));
    let addresses: Vec<String> = addresses.filter_map(Value::as_str).map(str::to_owned).collect();
    shortened(&addresses, "<unset>")
}

fn shortened(all: &[String], none: &str) -> Value {
    match all {
        [] => none.into(),
        all if all.len() <= SHOWN_MAX => all.join(",").into(),
        all => format!("{} + {} more...", all[..SHOWN_MAX].join(","), all.len() - SHOWN_MAX).into(),
    }
}
