//! Service.

use super::{denied, metadata, template, traffic, unserved, user};
use crate::{
    admission::{
        Path, Rejection,
        dispatch::{Context, Rules},
    },
    config::Configs,
    serving::Service,
};

impl Rules for Service {
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        let old = context.old;
        let old_template = old.map(|old| &old.spec.template);
        template::set_defaults(&mut self.spec.template, old_template, &self.metadata, context.configs);
        traffic::set_defaults(&mut self.spec.traffic, true);
        user::set(
            &mut self.metadata,
            &self.spec,
            old.map(|old| (&old.metadata, &old.spec)),
            context.request.user,
        );
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata)?;
        let meta = Path::root("metadata");
        metadata::refuse_autoscaling(&self.metadata, meta, &mut errors);
        metadata::check_rollout_duration(&self.metadata, meta, &mut errors);
        let spec = Path::root("spec");
        template::validate(
            &self.spec.template,
            context.old.map(|old| &old.spec.template),
            &self.metadata,
            spec.child("template"),
            context.configs,
            &mut errors,
        );
        traffic::validate(&self.spec.traffic, true, spec.child("traffic"), &mut errors);
        if let Some(old) = context.old {
            user::check(&self.metadata, &self.spec, &old.metadata, &old.spec, &mut errors);
            let path = spec.child("template");
            template::check_name_change(&self.spec.template, &old.spec.template, path, &mut errors);
        }
        denied(&errors)
    }

    fn warnings(&self, configs: &Configs) -> Vec<String> {
        let mut warnings =
            template::warnings(&self.spec.template, Path::root("spec").child("template"), configs);
        warnings.extend(unserved::warnings(&self.metadata));
        warnings
    }
}
