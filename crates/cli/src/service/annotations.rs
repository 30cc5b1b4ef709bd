//! What the command line notes on the templates it writes.

/// The image as the user named it, while the spec may hold its digest.
pub(crate) const USER_IMAGE: &str = "client.knative.dev/user-image";
/// When a command last changed the template; makes every change a new Revision.
pub(crate) const UPDATE_TIMESTAMP: &str = "client.knative.dev/updateTimestamp";
