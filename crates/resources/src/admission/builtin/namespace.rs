//! Namespace.

use crate::{
    admission::{
        Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
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
        let mut errors = metadata::validate(&self.metadata, NameRule::Label, false);
        let (spec, finalizers) =
            (Path::root("spec"), self.spec.as_ref().and_then(|spec| spec.finalizers.as_ref()));
        for finalizer in finalizers.into_iter().flatten() {
            metadata::check_finalizer(finalizer, &spec.child("finalizers"), &mut errors);
        }
        invalid(errors)
    }
}
