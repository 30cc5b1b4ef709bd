//! Services: accepted, since users' manifests contain them, though little of what they stand for is served yet.

use resources::builtin::Service;

/// What a Service is not given; `None` for one that asks for nothing but the addresses of its pods.
pub(super) fn warning(service: &Service) -> Option<String> {
    let spec = service.spec.as_ref()?;
    let address = spec.cluster_ip.as_deref().unwrap_or_default();
    Some(match spec.type_.as_deref().unwrap_or("ClusterIP") {
        kind @ ("LoadBalancer" | "NodePort") => format!(
            "spec.type: nothing answers at the address and the ports of a {kind} Service in this version; Knative \
             Services are reached through the gateway"
        ),
        "ExternalName" => {
            "spec.externalName: there is no DNS in pods in this version, so pods cannot resolve this name".into()
        }
        _ if address == "None" => return None,
        _ => "spec.clusterIP: nothing answers at the address of a Service in this version; the EndpointSlices of this one \
              have the addresses of its pods"
            .into(),
    })
}
