//! Event.

use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::Event,
};

impl Rules for Event {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let involved = self.involved_object.namespace.as_deref().unwrap_or_default();
        // What is not in a namespace is spoken of in the default one.
        if involved != namespace && !(involved.is_empty() && namespace == "default") {
            let path = Path::root("involvedObject");
            let why = "does not match event.namespace";
            errors.push(FieldError::invalid(&path.child("namespace"), involved, why));
        }
        invalid(errors)
    }
}
