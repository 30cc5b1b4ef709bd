//! Ingress.

use super::finish;
use crate::{
    admission::{
        KnativeErrors, Path, Rejection,
        dispatch::{Context, Rules},
    },
    meta::IntOrString,
    networking::{HttpIngressPath, Ingress, IngressSplit},
};

impl Rules for Ingress {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        self.spec.http_option.get_or_insert_with(|| "Enabled".to_owned());
        for rule in &mut self.spec.rules {
            if rule.visibility.as_deref().unwrap_or_default().is_empty() {
                rule.visibility = Some("ExternalIP".to_owned());
            }
            for path in rule.http.iter_mut().flat_map(|http| &mut http.paths) {
                // The only backend gets everything.
                if let [only] = path.splits.as_mut_slice()
                    && only.percent == 0
                {
                    only.percent = 100;
                }
            }
        }
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = KnativeErrors::default();
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let spec = Path::root("spec");
        let rules = spec.child("rules");
        if self.spec.rules.is_empty() {
            errors.missing(rules);
        }
        for (index, rule) in self.spec.rules.iter().enumerate() {
            let rule_path = rules.index(index);
            match rule.visibility.as_deref().unwrap_or_default() {
                "ExternalIP" | "ClusterLocal" | "" => {}
                other => errors.invalid(other, rule_path.child("visibility")),
            }
            let http = rule_path.child("http");
            let Some(value) = &rule.http else {
                errors.missing(http);
                continue;
            };
            let paths = http.child("paths");
            if value.paths.is_empty() {
                errors.missing(paths);
            }
            for (index, path) in value.paths.iter().enumerate() {
                check_path(path, namespace, paths.index(index), &mut errors);
            }
        }
        let tls = spec.child("tls");
        for (index, entry) in self.spec.tls.iter().enumerate() {
            let at = tls.index(index);
            for (field, value) in
                [("secretName", &entry.secret_name), ("secretNamespace", &entry.secret_namespace)]
            {
                if value.is_empty() {
                    errors.missing(at.child(field));
                }
            }
        }
        finish(&self.metadata, true, &errors)
    }
}

fn check_path(path: &HttpIngressPath, namespace: &str, at: Path<'_>, errors: &mut KnativeErrors) {
    let splits = at.child("splits");
    if path.splits.is_empty() {
        errors.missing(splits);
        return;
    }
    for (index, split) in path.splits.iter().enumerate() {
        check_split(split, namespace, splits.index(index), errors);
    }
    let total: i64 = path.splits.iter().fold(0, |total, split| total.saturating_add(split.percent));
    if total != 100 {
        errors.add(format!("traffic split percentage must total to 100, but was {total}"), &[splits], "");
    }
}

fn check_split(split: &IngressSplit, namespace: &str, at: Path<'_>, errors: &mut KnativeErrors) {
    if !(0..=100).contains(&split.percent) {
        errors.invalid(split.percent, at.child("percent"));
    }
    if split.service_name.is_empty() {
        errors.missing(at.child("serviceName"));
    }
    if split.service_namespace.is_empty() {
        errors.missing(at.child("serviceNamespace"));
    } else if split.service_namespace != namespace {
        let message = format!(
            "service namespace ({}) must match ingress namespace ({namespace})",
            split.service_namespace
        );
        errors.add(message, &[at.child("serviceNamespace")], "");
    }
    if split.service_port == IntOrString::Int(0) {
        errors.missing(at.child("servicePort"));
    }
}
