//! ServerlessService, Certificate, ClusterDomainClaim and Image.

use super::finish;
use crate::{
    admission::{
        KnativeErrors, Path, Rejection,
        dispatch::{Context, Rules},
    },
    names::dns,
    networking::{Certificate, ClusterDomainClaim, Image, ServerlessService},
};

const SPEC: Path<'static> = Path::root("spec");

impl Rules for ServerlessService {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        let target = SPEC.child("objectRef");
        let reference = &self.spec.object_ref;
        for (field, value) in
            [("apiVersion", &reference.api_version), ("kind", &reference.kind), ("name", &reference.name)]
        {
            if value.as_deref().unwrap_or_default().is_empty() {
                errors.missing(target.child(field));
            }
        }
        match self.spec.protocol_type.as_str() {
            "http1" | "h2c" => {}
            "" => errors.missing(SPEC.child("protocolType")),
            other => errors.invalid(other, SPEC.child("protocolType")),
        }
        if self.spec.num_activators < 0 {
            errors.invalid(self.spec.num_activators, SPEC.child("numActivators"));
        }
        finish(&self.metadata, true, &errors)
    }
}

impl Rules for Certificate {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        let spec = &self.spec;
        if spec.dns_names.is_empty() {
            errors.missing(SPEC.child("dnsNames"));
        }
        if spec.secret_name.is_empty() {
            errors.missing(SPEC.child("secretName"));
        }
        let of_domain = |name: &String| {
            name.strip_suffix(&spec.domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if !spec.domain.is_empty() && !spec.dns_names.iter().any(of_domain) {
            errors.invalid(&spec.domain, SPEC.child("domain"));
        }
        finish(&self.metadata, true, &errors)
    }
}

impl Rules for ClusterDomainClaim {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        if self.spec.namespace.is_empty() {
            errors.missing(SPEC.child("namespace"));
        } else if !dns::label(&self.spec.namespace).is_empty() {
            errors.invalid(&self.spec.namespace, SPEC.child("namespace"));
        }
        finish(&self.metadata, false, &errors)
    }
}

impl Rules for Image {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        if self.spec.image.is_empty() {
            errors.missing(SPEC.child("image"));
        }
        finish(&self.metadata, true, &errors)
    }
}
