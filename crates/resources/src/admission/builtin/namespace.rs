//! Namespace.

use crate::{
    admission::{
        Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        rejection::invalid,
    },
    builtin::{Namespace, NamespaceSpec, NamespaceStatus},
    labels::NAMESPACE_NAME,
};

/// Keeps a namespace until what is in it is gone.
const FINALIZER: &str = "kubernetes";

impl Rules for Namespace {
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        if let Some(name) = self.metadata.name.clone().filter(|name| !name.is_empty()) {
            self.metadata.labels.get_or_insert_default().insert(NAMESPACE_NAME.to_owned(), name);
        }
        if context.old.is_none() {
            let spec = self.spec.get_or_insert_with(NamespaceSpec::default);
            let finalizers = spec.finalizers.get_or_insert_default();
            if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
                finalizers.push(FINALIZER.to_owned());
            }
            let status = self.status.get_or_insert_with(NamespaceStatus::default);
            status.phase.get_or_insert_with(|| "Active".to_owned());
        }
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        invalid(metadata::validate(&self.metadata, NameRule::Label, false))
    }
}
