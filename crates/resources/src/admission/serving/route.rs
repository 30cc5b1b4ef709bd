//! Route.

use super::{denied, metadata, traffic, unserved, user};
use crate::{
    admission::{
        Path, Rejection,
        dispatch::{Context, Rules},
    },
    config::Configs,
    labels,
    serving::Route,
};

impl Rules for Route {
    fn set_defaults(&mut self, context: &Context<'_, Self>) {
        traffic::set_defaults(&mut self.spec.traffic, false);
        if !user::is_owned(&self.metadata) {
            let old = context.old.map(|old| (&old.metadata, &old.spec));
            user::set(&mut self.metadata, &self.spec, old, context.request.user);
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata)?;
        let meta = Path::root("metadata");
        metadata::refuse_autoscaling(&self.metadata, meta, &mut errors);
        metadata::check_rollout_duration(&self.metadata, meta, &mut errors);
        metadata::check_owner_label(&self.metadata, labels::SERVICE, "Service", meta, &mut errors);
        let spec = Path::root("spec");
        traffic::validate(&self.spec.traffic, false, spec.child("traffic"), &mut errors);
        if let Some(old) = context.old
            && !user::is_owned(&self.metadata)
        {
            user::check(&self.metadata, &self.spec, &old.metadata, &old.spec, &mut errors);
        }
        denied(&errors)
    }

    fn warnings(&self, _: &Configs) -> Vec<String> {
        unserved::warnings(&self.metadata).collect()
    }
}
