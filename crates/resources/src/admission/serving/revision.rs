//! Revision.

use super::{denied, metadata, pod_spec, template, template_defaults, unserved};
use crate::{
    admission::{
        KnativeErrors, Path, Rejection,
        dispatch::{Context, Rules},
        same,
    },
    annotations::Scaling,
    config::Configs,
    labels,
    serving::Revision,
};

impl Rules for Revision {
    /// Only once: a Revision never changes afterwards.
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        if context.old.is_none() {
            template_defaults::set(&mut self.spec, &self.metadata, true, context.configs);
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata)?;
        let meta = Path::root("metadata");
        metadata::check_owner_label(
            &self.metadata,
            labels::CONFIGURATION,
            "Configuration",
            meta,
            &mut errors,
        );
        if let Some(annotations) = &self.metadata.annotations {
            let path = meta.child("annotations");
            Scaling::check(annotations, &context.configs.autoscaler, path, &mut errors);
            if context.old.is_none_or(|old| old.metadata.annotations.as_ref() != Some(annotations)) {
                unserved::refuse_scaling(annotations, path, &mut errors);
            }
        }
        let spec = Path::root("spec");
        match context.old {
            Some(old) => {
                let changes = same::diff(&old.spec, &self.spec);
                if !changes.is_empty() {
                    errors.add("Immutable fields changed (-old +new)", &[spec], changes);
                }
            }
            None => template::validate_spec(&self.spec, spec, context.configs, &mut errors),
        }
        denied(&errors)
    }

    fn warnings(&self, configs: &Configs) -> Vec<String> {
        let mut errors = KnativeErrors::default();
        pod_spec::warn(&self.spec, Path::root("spec"), configs, &mut errors);
        errors.warnings()
    }
}
