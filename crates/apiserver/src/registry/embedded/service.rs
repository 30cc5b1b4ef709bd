//! Services: accepted, since users' manifests contain them, though little of what they stand for is served yet.

use resources::builtin::Service;

/// What a Service is not given; `None` for one that asks for nothing but the addresses of its pods.
pub(super) fn warning(service: &Service) -> Option<String> {
    let spec = service.spec.as_ref()?;
    let address = spec.cluster_ip.as_deref().unwrap_or_default();
    Some(match spec.type_.as_deref().unwrap_or("ClusterIP") {
        kind @ ("LoadBalancer" | "NodePort") => format!(
            "spec.type: Services of type {kind} get no address or port in this version and cannot be reached; Knative \
             Services are reached through the gateway"
        ),
        "ExternalName" => {
            "spec.externalName: there is no DNS in pods in this version, so pods cannot resolve this name".into()
        }
        _ if address == "None" => return None,
        _ => "spec.clusterIP: Services get no address in this version and cannot be reached by one; the EndpointSlices of \
              this one have the addresses of its pods"
            .into(),
    })
}
