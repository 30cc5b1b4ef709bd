//! `serving.knative.dev/…`, `queue.sidecar.serving.knative.dev/…` and `features.knative.dev/…`.

use super::keys;

/// Who created the object.
pub const CREATOR: &str = "serving.knative.dev/creator";
/// Who last changed its spec.
pub const LAST_MODIFIER: &str = "serving.knative.dev/lastModifier";
/// `true` keeps a Revision from garbage collection.
pub const NO_GC: &str = "serving.knative.dev/no-gc";
/// The Routes that lead to a Revision or Configuration, by comma.
pub const ROUTES: &str = "serving.knative.dev/routes";
/// When the routing state last changed, RFC 3339 in UTC.
pub const ROUTING_STATE_MODIFIED: &str = "serving.knative.dev/routingStateModified";
/// Of old versions; only ever left out.
pub const LAST_PINNED: &str = "serving.knative.dev/lastPinned";
/// `Enabled` lets an HTTP/1 app answer before it has read the request.
pub const HTTP_FULL_DUPLEX: &str = "features.knative.dev/http-full-duplex";

keys! {
    /// How long a new Revision takes to get all of its traffic; on Services and Routes.
    ROLLOUT_DURATION = "serving.knative.dev/rollout-duration" | "serving.knative.dev/rolloutDuration";
    /// How long a Revision may take to become ready; on a template.
    PROGRESS_DEADLINE = "serving.knative.dev/progress-deadline";
    /// The queue proxy's resources in percent of the app's; deprecated.
    QUEUE_RESOURCE_PERCENTAGE = "queue.sidecar.serving.knative.dev/resource-percentage" | "queue.sidecar.serving.knative.dev/resourcePercentage";
    /// The queue proxy's CPU request.
    QUEUE_CPU_REQUEST = "queue.sidecar.serving.knative.dev/cpu-resource-request";
    /// The queue proxy's CPU limit.
    QUEUE_CPU_LIMIT = "queue.sidecar.serving.knative.dev/cpu-resource-limit";
    /// The queue proxy's memory request.
    QUEUE_MEMORY_REQUEST = "queue.sidecar.serving.knative.dev/memory-resource-request";
    /// The queue proxy's memory limit.
    QUEUE_MEMORY_LIMIT = "queue.sidecar.serving.knative.dev/memory-resource-limit";
    /// The queue proxy's request of disk space.
    QUEUE_EPHEMERAL_STORAGE_REQUEST = "queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request";
    /// The queue proxy's limit of disk space.
    QUEUE_EPHEMERAL_STORAGE_LIMIT = "queue.sidecar.serving.knative.dev/ephemeral-storage-resource-limit";
}

/// Annotations of a Revision that its Deployment, pods and Images do not get, besides the autoscaling ones.
pub const REVISION_ONLY: &[&str] = &[LAST_PINNED, NO_GC, ROUTING_STATE_MODIFIED, ROUTES];
