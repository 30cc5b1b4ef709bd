//! `networking.knative.dev/…` and `networking.internal.knative.dev/…`.

use super::keys;

/// The prefix of these keys.
pub const NETWORKING_GROUP: &str = "networking.knative.dev";

keys! {
    /// Which ingress serves an Ingress.
    INGRESS_CLASS = "networking.knative.dev/ingress.class" | "networking.knative.dev/ingress-class";
    /// Who makes a Certificate.
    CERTIFICATE_CLASS = "networking.knative.dev/certificate.class" | "networking.knative.dev/certificate-class";
    /// `true` leaves a Route without certificates.
    DISABLE_EXTERNAL_DOMAIN_TLS = "networking.knative.dev/disable-external-domain-tls" | "networking.knative.dev/disableAutoTLS" | "networking.knative.dev/disable-auto-tls";
    /// What happens to plain HTTP where there is TLS: `enabled` or `redirected`.
    HTTP_PROTOCOL = "networking.knative.dev/http-protocol" | "networking.knative.dev/httpOption";
}
