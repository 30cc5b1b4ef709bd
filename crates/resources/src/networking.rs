//! `networking.internal.knative.dev/v1alpha1` and `caching.internal.knative.dev/v1alpha1`: what Routes and Revisions ask of the network.

mod certificate;
mod image;
mod ingress;
mod serverless_service;

pub use self::{
    certificate::{
        Certificate, CertificateSpec, CertificateStatus, ClusterDomainClaim, ClusterDomainClaimSpec,
        ClusterDomainClaimStatus,
    },
    image::{Image, ImageSpec, ImageStatus},
    ingress::{
        HeaderMatch, HttpIngressPath, HttpIngressRuleValue, INGRESS_CONDITIONS, Ingress, IngressRule,
        IngressSpec, IngressSplit, IngressStatus, IngressTls, LOAD_BALANCER_READY, LoadBalancerIngressStatus,
        LoadBalancerStatus, NETWORK_CONFIGURED,
    },
    serverless_service::{
        ACTIVATOR_ENDPOINTS_POPULATED, ENDPOINTS_POPULATED, SERVERLESS_SERVICE_CONDITIONS, ServerlessService,
        ServerlessServiceMode, ServerlessServiceSpec, ServerlessServiceStatus,
    },
};
