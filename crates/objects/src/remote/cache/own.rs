//! What this client has written and the watch has not told yet, so that who writes reads it at once.

use std::{collections::HashMap, sync::Arc};

use resources::{DynObject, ObjectKey};

use crate::remote::decode::version;

/// What is known of one object beside what the watch has told.
pub(super) enum Own {
    /// Written; the watch will tell this version, or has a later one to tell.
    Written(Arc<dyn DynObject>),
    /// Deleted; the watch will tell the end of the object with this uid.
    Gone(String),
    /// Other than the watch has told so far; how, only the server knows.
    InDoubt,
}

/// The objects whose last word is not the watch's. Empty but for the moment between a write and its echo.
#[derive(Default)]
pub(super) struct OwnWrites {
    objects: HashMap<ObjectKey, Own>,
}

impl OwnWrites {
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Own> {
        self.objects.get(key)
    }

    pub(super) fn set(&mut self, key: ObjectKey, own: Own) {
        self.objects.insert(key, own);
    }

    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.objects.remove(key);
    }

    /// The objects that were written and are known to be there.
    pub(super) fn written(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<dyn DynObject>)> {
        self.objects.iter().filter_map(|(key, own)| match own {
            Own::Written(object) => Some((key, object)),
            Own::Gone(_) | Own::InDoubt => None,
        })
    }

    /// The watch has told a change of an object.
    pub(super) fn told(&mut self, key: &ObjectKey, object: &dyn DynObject, gone: bool, at: u64) {
        let settled = match self.objects.get(key) {
            None => return,
            Some(Own::Written(written)) => version(&**written) <= at,
            Some(Own::Gone(uid)) => gone && object.metadata().uid.as_ref() == Some(uid),
            Some(Own::InDoubt) => true,
        };
        if settled {
            self.objects.remove(key);
        }
    }

    /// The watch has told everything up to a version.
    pub(super) fn told_all(&mut self, at: u64) {
        self.objects.retain(|_, own| match own {
            Own::Written(written) => version(&**written) > at,
            Own::Gone(_) => true,
            Own::InDoubt => false,
        });
    }

    /// Keeps what a new list of everything, at a version, does not settle; `is_there` tells whether it has an object.
    pub(super) fn listed(&mut self, at: u64, is_there: impl Fn(&ObjectKey, &str) -> bool) {
        self.objects.retain(|key, own| match own {
            Own::Written(written) => version(&**written) > at,
            Own::Gone(uid) => is_there(key, uid),
            Own::InDoubt => false,
        });
    }
}
