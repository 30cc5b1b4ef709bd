//! What is known of a kind's fields beyond its Rust type: what patches and apply need to merge them.

mod shape;

use std::sync::{Arc, LazyLock};

use resources::{Kind, kinds, schema};

pub(crate) use self::shape::{Form, ListKind, Place, Scalar, Shapes, Strategy};
use crate::served::{Definition, Version};

/// The shapes of the built-in kinds, worked out when the first patch asks.
static BUILT_IN: LazyLock<Shapes> = LazyLock::new(|| Shapes::of(&schema::definitions(kinds::served())));

/// Where an object of a built-in kind begins.
pub(crate) fn root(kind: &Kind) -> Place<'static> {
    BUILT_IN.root(&kind.definition_name())
}

/// The schema of a kind, whoever it is of.
pub(crate) struct Root {
    pub(crate) kind: &'static Kind,
    schema: Schema,
    /// Whether the status is written by way of a subresource.
    pub(crate) has_status: bool,
}

enum Schema {
    BuiltIn(Place<'static>),
    Defined(Arc<Version>),
}

impl Root {
    /// Of a kind, with what a user says of it.
    pub(crate) fn of(kind: &'static Kind, definition: Option<&Definition>) -> Self {
        let schema = match definition {
            Some(definition) => Schema::Defined(Arc::clone(&definition.own)),
            None => Schema::BuiltIn(root(kind)),
        };
        Self { kind, schema, has_status: kind.subresources.status }
    }

    /// Where an object begins.
    pub(crate) fn place(&self) -> Place<'_> {
        match &self.schema {
            Schema::BuiltIn(place) => *place,
            Schema::Defined(version) => version.shapes().root(&version.kind.definition_name()),
        }
    }
}
