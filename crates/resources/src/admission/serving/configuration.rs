//! Configuration.

use super::{denied, metadata, template, user};
use crate::{
    admission::{
        Path, Rejection,
        dispatch::{Context, Rules},
    },
    config::Configs,
    labels,
    serving::Configuration,
};

impl Rules for Configuration {
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        let old = context.old;
        let old_template = old.map(|old| &old.spec.template);
        template::set_defaults(&mut self.spec.template, old_template, &self.metadata, context.configs);
        if !user::is_owned(&self.metadata) {
            user::set(
                &mut self.metadata,
                &self.spec,
                old.map(|old| (&old.metadata, &old.spec)),
                context.request.user,
            );
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata)?;
        let meta = Path::root("metadata");
        metadata::refuse_autoscaling(&self.metadata, meta, &mut errors);
        metadata::check_owner_label(&self.metadata, labels::SERVICE, "Service", meta, &mut errors);
        let spec = Path::root("spec");
        let path = spec.child("template");
        let old_template = context.old.map(|old| &old.spec.template);
        template::validate(
            &self.spec.template,
            old_template,
            &self.metadata,
            path,
            context.configs,
            &mut errors,
        );
        if let Some(old) = context.old {
            if !user::is_owned(&self.metadata) {
                user::check(&self.metadata, &self.spec, &old.metadata, &old.spec, &mut errors);
            }
            template::check_name_change(&self.spec.template, &old.spec.template, path, &mut errors);
        }
        denied(&errors)
    }

    fn warnings(&self, configs: &Configs) -> Vec<String> {
        template::warnings(&self.spec.template, Path::root("spec").child("template"), configs)
    }
}
