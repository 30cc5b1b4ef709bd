//! Configurations of admission webhooks (upstream: `pkg/apis/admissionregistration/v1/defaults.go` and `validation`).

use std::collections::BTreeSet;

use k8s_openapi::api::admissionregistration::v1::{RuleWithOperations, WebhookClientConfig};

use super::check_one_of;
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration},
    meta::ObjectMeta,
};

/// The part that both kinds of webhooks have.
struct Webhook<'a> {
    name: &'a str,
    client: &'a WebhookClientConfig,
    side_effects: &'a str,
    failure_policy: Option<&'a str>,
    match_policy: Option<&'a str>,
    timeout_seconds: Option<i32>,
    versions: &'a [String],
}

macro_rules! of_both {
    ($webhook:expr) => {
        Webhook {
            name: &$webhook.name,
            client: &$webhook.client_config,
            side_effects: &$webhook.side_effects,
            failure_policy: $webhook.failure_policy.as_deref(),
            match_policy: $webhook.match_policy.as_deref(),
            timeout_seconds: $webhook.timeout_seconds,
            versions: &$webhook.admission_review_versions,
        }
    };
}

macro_rules! defaults_of_both {
    ($webhook:expr) => {
        $webhook.failure_policy.get_or_insert_with(|| "Fail".into());
        $webhook.match_policy.get_or_insert_with(|| "Equivalent".into());
        $webhook.namespace_selector.get_or_insert_default();
        $webhook.object_selector.get_or_insert_default();
        $webhook.timeout_seconds.get_or_insert(10);
        set_ports(&mut $webhook.client_config);
        set_scopes($webhook.rules.as_deref_mut().unwrap_or_default());
    };
}

impl Rules for MutatingWebhookConfiguration {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        for webhook in self.webhooks.iter_mut().flatten() {
            defaults_of_both!(webhook);
            webhook.reinvocation_policy.get_or_insert_with(|| "Never".into());
        }
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        check(&self.metadata, self.webhooks.iter().flatten().map(|webhook| of_both!(webhook)))
    }
}

impl Rules for ValidatingWebhookConfiguration {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        for webhook in self.webhooks.iter_mut().flatten() {
            defaults_of_both!(webhook);
        }
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        check(&self.metadata, self.webhooks.iter().flatten().map(|webhook| of_both!(webhook)))
    }
}

fn set_ports(client: &mut WebhookClientConfig) {
    if let Some(service) = &mut client.service {
        service.port.get_or_insert(443);
    }
}

fn set_scopes(rules: &mut [RuleWithOperations]) {
    for rule in rules {
        rule.scope.get_or_insert_with(|| "*".into());
    }
}

fn check<'a>(metadata: &ObjectMeta, webhooks: impl Iterator<Item = Webhook<'a>>) -> Result<(), Rejection> {
    let mut errors = metadata::validate(metadata, NameRule::Subdomain, false);
    let mut names = BTreeSet::new();
    let path = Path::root("webhooks");
    for (index, webhook) in webhooks.enumerate() {
        let path = path.index(index);
        if !names.insert(webhook.name) {
            errors.push(FieldError::duplicate(&path.child("name"), webhook.name));
        }
        of_one(&webhook, &path, &mut errors);
    }
    invalid(errors)
}

fn of_one(webhook: &Webhook<'_>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if webhook.name.split('.').count() < 3 {
        let why = "should be a domain with at least three segments separated by dots";
        errors.push(FieldError::invalid(&path.child("name"), webhook.name, why));
    }
    if webhook.versions.is_empty() {
        let known = "must specify one of v1, v1beta1";
        errors.push(FieldError::required(&path.child("admissionReviewVersions"), known));
    }
    check_one_of(webhook.failure_policy, &["Fail", "Ignore"], &path.child("failurePolicy"), errors);
    check_one_of(webhook.match_policy, &["Equivalent", "Exact"], &path.child("matchPolicy"), errors);
    let harmless = ["None", "NoneOnDryRun"];
    match webhook.side_effects {
        "" => errors.push(FieldError::required(
            &path.child("sideEffects"),
            format!("must specify one of {}", harmless.join(", ")),
        )),
        effects => check_one_of(Some(effects), &harmless, &path.child("sideEffects"), errors),
    }
    if let Some(seconds) = webhook.timeout_seconds.filter(|seconds| !(1..=30).contains(seconds)) {
        let why = if seconds > 30 {
            "the timeout value must be between 1 and 30 seconds"
        } else {
            "must be greater than 0"
        };
        errors.push(FieldError::invalid(&path.child("timeoutSeconds"), seconds, why));
    }
    if webhook.client.url.is_some() == webhook.client.service.is_some() {
        let why = "exactly one of url or service is required";
        errors.push(FieldError::required(&path.child("clientConfig"), why));
    }
}
