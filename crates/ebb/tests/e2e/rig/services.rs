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

/// A service that is at zero soon after its last request.
pub(crate) fn service_soon_idle(name: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec:
  template:
    metadata: {{annotations: {{autoscaling.knative.dev/window: 6s}}}}
    spec: {{containers: [{{image: "dev.local/hello:1"}}]}}
"#
    )
}
