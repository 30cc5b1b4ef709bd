//! What the platform keeps for itself: ports, names, environment variables, paths.
//!
//! Upstream: serving, `pkg/apis/serving/k8s_validation.go` and `pkg/networking/constants.go`.

/// The namespace of the platform's own objects.
pub const SYSTEM_NAMESPACE: &str = "knative-serving";

/// The container beside every app.
pub const QUEUE_PROXY: &str = "queue-proxy";
/// The image of the queue proxy's container. It is a part of Ebb, whatever image another platform had for it.
pub const QUEUE_PROXY_IMAGE: &str = "ebb.internal/queue-proxy";
/// The port of a user container that names none.
pub const DEFAULT_USER_PORT: i32 = 8080;
/// What a user container's port is called in its Deployment.
pub const USER_PORT_NAME: &str = "user-port";
/// A port that speaks HTTP/1.1, which one without a name also does.
pub const PORT_NAME_HTTP1: &str = "http1";
/// A port that speaks HTTP/2 in plain text.
pub const PORT_NAME_H2C: &str = "h2c";

/// The queue proxy, HTTP/1.1.
pub const BACKEND_HTTP_PORT: i32 = 8012;
/// The queue proxy, HTTP/2.
pub const BACKEND_HTTP2_PORT: i32 = 8013;
/// The queue proxy, TLS. Upstream does not keep users from it.
pub const BACKEND_HTTPS_PORT: i32 = 8112;
/// The queue proxy's drain.
pub const QUEUE_ADMIN_PORT: i32 = 8022;
/// The queue proxy's numbers for the autoscaler.
pub const AUTOSCALING_METRICS_PORT: i32 = 9090;
/// The queue proxy's numbers for the user.
pub const USER_METRICS_PORT: i32 = 9091;
/// The queue proxy's profiles.
pub const PROFILING_PORT: i32 = 8008;
/// Ports that a user container may not have.
pub const PORTS: &[i32] = &[
    BACKEND_HTTP_PORT,
    BACKEND_HTTP2_PORT,
    QUEUE_ADMIN_PORT,
    AUTOSCALING_METRICS_PORT,
    USER_METRICS_PORT,
    PROFILING_PORT,
];

/// Names that no container of a user may have.
pub const CONTAINER_NAMES: &[&str] = &[QUEUE_PROXY];

/// The port the app shall listen on.
pub const ENV_PORT: &str = "PORT";
/// The Service's name.
pub const ENV_K_SERVICE: &str = "K_SERVICE";
/// The Configuration's name.
pub const ENV_K_CONFIGURATION: &str = "K_CONFIGURATION";
/// The Revision's name.
pub const ENV_K_REVISION: &str = "K_REVISION";
/// Variables that the serving container gets and so may not set.
pub const ENV: &[&str] = &[ENV_PORT, ENV_K_SERVICE, ENV_K_CONFIGURATION, ENV_K_REVISION];
/// Variables that other containers may not set; they have no port of their own to be told.
pub const SIDECAR_ENV: &[&str] = &[ENV_K_SERVICE, ENV_K_CONFIGURATION, ENV_K_REVISION];

/// Where nothing may be mounted.
pub const MOUNT_PATHS: &[&str] = &["/", "/dev", "/dev/log"];
