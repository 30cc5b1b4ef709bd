//! Marks of what Ebb itself is (`resources::provided`).

use std::sync::Arc;

use resources::{
    DynObject, Object,
    custom::CustomResourceDefinition,
    provided::{PROVIDED, is_marked, is_provided},
};

/// The object with the mark.
pub(super) fn mark(object: Arc<dyn DynObject>) -> Arc<dyn DynObject> {
    let mut metadata = object.metadata().clone();
    metadata.annotations.get_or_insert_default().insert(PROVIDED.into(), "true".into());
    object.with_metadata(metadata)
}

/// The object with the mark, if it is such a part, and without it, if it is none: nobody keeps what is theirs from
/// being run by it. Definitions are marked by themselves.
pub(super) fn settle(object: Arc<dyn DynObject>) -> Arc<dyn DynObject> {
    if object.kind() == <CustomResourceDefinition as Object>::kind() {
        return object;
    }
    match (is_provided(&*object), is_marked(object.metadata())) {
        (true, _) => mark(object),
        (false, false) => object,
        (false, true) => {
            let mut metadata = object.metadata().clone();
            if let Some(annotations) = &mut metadata.annotations {
                annotations.remove(PROVIDED);
            }
            metadata.annotations = metadata.annotations.filter(|annotations| !annotations.is_empty());
            object.with_metadata(metadata)
        }
    }
}
