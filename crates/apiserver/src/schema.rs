//! What is known of a kind's fields beyond its Rust type: what patches and apply need to merge them.

mod shape;

use std::sync::LazyLock;

use resources::{Kind, kinds, schema};

use self::shape::Shapes;
pub(crate) use self::shape::{Form, ListKind, Place, Scalar, Strategy};

/// The shapes of the built-in kinds, worked out when the first patch asks.
static BUILT_IN: LazyLock<Shapes> =
    LazyLock::new(|| Shapes::of(&schema::definitions(kinds::all().iter().copied())));

/// Where an object of the kind begins.
pub(crate) fn root(kind: &Kind) -> Place<'static> {
    BUILT_IN.root(&kind.definition_name())
}
