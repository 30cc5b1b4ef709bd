//! Annotation keys, as upstream has them, with their aliases.
//!
//! Upstream: pkg, `kmap.KeyPriority`: kebab-case is what is written, camelCase is still read.

mod autoscaling;
mod key;
mod networking;
mod scaling;
mod serving;

pub use self::{
    autoscaling::*,
    key::{Key, lookup},
    networking::*,
    scaling::{Aggregation, Scaling, ScalingError, ScalingMetric},
    serving::*,
};

/// What `kubectl apply` last sent; never copied to children.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The container whose logs `kubectl logs` shows.
pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// The CRC32 of a ConfigMap's `_example`, so that an edited example is found.
pub const EXAMPLE_CHECKSUM: &str = "knative.dev/example-checksum";
/// The rollout that a ReplicaSet or Deployment is at.
pub const DEPLOYMENT_REVISION: &str = "deployment.kubernetes.io/revision";

macro_rules! keys {
    ($( $(#[$doc:meta])* $name:ident = $first:literal $(| $alias:literal)*; )*) => {
        $( $(#[$doc])* pub const $name: $crate::annotations::Key = $crate::annotations::Key::new(&[$first $(, $alias)*]); )*
    };
}
pub(crate) use keys;
