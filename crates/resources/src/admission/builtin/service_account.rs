//! ServiceAccount.

use crate::{
    admission::{
        Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        rejection::invalid,
    },
    builtin::ServiceAccount,
};

impl Rules for ServiceAccount {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {}

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        invalid(metadata::validate(&self.metadata, NameRule::Subdomain, true))
    }
}
