//! A kind whose objects are those of another kind, written in another way.

use std::sync::Arc;

use super::Kind;
use crate::{kinds, object::DynObject};

/// Another way to write the objects of a kind, which has all that they have.
pub(crate) struct Form {
    /// The kind that they are stored as.
    pub(crate) original: &'static Kind,
    /// An object of the form as one of the original.
    pub(crate) to_original: fn(&dyn DynObject) -> Option<Arc<dyn DynObject>>,
    /// The other way round.
    pub(crate) of_original: fn(&dyn DynObject) -> Option<Arc<dyn DynObject>>,
    /// The fields that have another name in the form: the original's, and the form's, as `spec.metrics`.
    pub(crate) renamed: &'static [(&'static str, &'static str)],
    /// The annotations in which the form says what of the spec it has no fields for.
    pub(crate) spec_annotations: &'static [&'static str],
}

impl Kind {
    /// Whether its objects are stored as those of another kind, in another form. Such a kind is for the network; the parts
    /// of Ebb use what is stored.
    pub fn is_form(&self) -> bool {
        self.form.is_some()
    }

    /// The kind that its objects are stored as: itself, unless it is a form of another kind.
    pub fn original(&self) -> &Self {
        self.form.as_ref().map_or(self, |form| form.original)
    }

    /// An object of the kind as one of [`Kind::original`]; `None` unless it is one of a form.
    pub fn to_original(&self, object: &dyn DynObject) -> Option<Arc<dyn DynObject>> {
        self.form.as_ref().and_then(|form| (form.to_original)(object))
    }

    /// An object of [`Kind::original`] as one of the kind; `None` unless the kind is a form.
    pub fn of_original(&self, object: &dyn DynObject) -> Option<Arc<dyn DynObject>> {
        self.form.as_ref().and_then(|form| (form.of_original)(object))
    }

    /// The annotations of its objects that are part of their spec.
    pub fn spec_annotations(&self) -> &'static [&'static str] {
        self.form.as_ref().map_or(&[], |form| form.spec_annotations)
    }

    /// The fields of its objects that have another name where `api_version` is that of another form of the kind: the name
    /// here, and the name there. Within others, with these: `spec.metrics`.
    pub fn names_in(&self, api_version: &str) -> Vec<(&'static str, &'static str)> {
        let other = kinds::by_kind(api_version, self.kind);
        let other = other.filter(|other| other.original() == self.original());
        match (&self.form, other.map(|other| &other.form)) {
            (Some(own), Some(None)) => own.renamed.iter().map(|&(there, here)| (here, there)).collect(),
            (None, Some(Some(theirs))) => theirs.renamed.to_vec(),
            // No kind has more than two forms.
            _ => Vec::new(),
        }
    }
}
