//! Services of the sample, as users write them.

/// A service with nothing but its image.
pub(crate) fn service(name: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{image: "dev.local/hello:1"}}]}}}}}}
"#
    )
}

/// A service that is at zero as soon after its last request as upstream's rules allow.
pub(crate) fn service_soon_idle(name: &str) -> String {
    service_soon_idle_with(name, "", "", "")
}

/// As [`service_soon_idle`], with more annotations, more of its spec, and more fields of its container.
pub(crate) fn service_soon_idle_with(name: &str, annotations: &str, spec: &str, container: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/window: 6s
        {annotations}
    spec:
      {spec}
      containers: [{{image: "dev.local/hello:1"{container}}}]
"#
    )
}
