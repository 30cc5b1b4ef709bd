//! The limits that a server is given. What bounds one piece of work alone is a constant beside it.

use std::time::Duration;

use objects::Backoff;

/// The API server's limits. Sizes are bytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A request's body (upstream: kube-apiserver, `MaxRequestBodyBytes`).
    pub body_bytes_max: usize,
    /// Operations of one JSON patch (upstream: kube-apiserver, `maxJSONPatchOperations`).
    pub json_patch_operations_max: usize,
    /// JSON that the `copy` operations of one JSON patch may add in all (upstream: kube-apiserver,
    /// `JSONPatchMaxCopyBytes`).
    pub json_patch_copied_bytes_max: usize,
    /// Work that one JSON patch may be: values that its operations move, copy, compare or look through, in all.
    pub json_patch_steps_max: usize,
    /// Nested objects and arrays of a body, and of what a patch makes of an object.
    pub depth_max: usize,
    /// Fields and items of a body, in all.
    pub nodes_max: usize,
    /// An object's JSON with all that the server adds to it, when a request makes it or makes it longer.
    pub object_bytes_max: usize,
    /// Those who manage fields of one object.
    pub managers_max: usize,
    /// Open connections; further ones wait in the listener's backlog.
    pub connections_max: usize,
    /// Requests that read, at once, until their answers are with their clients; a further one is answered with 429. Watches
    /// and followed logs do not count (upstream: kube-apiserver, `--max-requests-inflight`).
    pub reads_in_flight_max: usize,
    /// Likewise of requests that write (upstream: kube-apiserver, `--max-mutating-requests-inflight`).
    pub writes_in_flight_max: usize,
    /// Time limit each for the TLS handshake, for the first request's head, and for closing.
    pub handshake_timeout: Duration,
    /// How long a connection may be without a request that is being answered (upstream: apiserver, `IdleTimeout`).
    pub idle_timeout: Duration,
    /// How often a client is asked whether it is still there: over HTTP/2, and by the kernel when nothing is said.
    pub keep_alive_interval: Duration,
    /// How long it may take to say so over HTTP/2.
    pub keep_alive_timeout: Duration,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How much of a body that is refused is still received, so that its sender comes to see the answer.
    pub unread_bytes_max: usize,
    /// How long that may take.
    pub unread_timeout: Duration,
    /// How long a client may take nothing of an answer that has a place; then its connection is closed.
    pub answer_stall_max: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub streams_per_connection_max: u32,
    /// How long connections may take to end once the server drains.
    pub drain_timeout: Duration,
    /// Commands that are run in containers at once; a further one is refused.
    pub exec_sessions_max: usize,
    /// One message of a client's, which is part of what its command reads.
    pub exec_message_bytes_max: usize,
    /// The shortest time after which a watch without `timeoutSeconds` ends; the longest is twice that.
    pub watch_timeout_min: Duration,
    /// The longest time that a watch can ask for.
    pub watch_timeout_max: Duration,
    /// How often a watch that asks for bookmarks gets one.
    pub bookmark_interval: Duration,
    /// Recent changes kept for watchers that are behind and for who has listed, per kind.
    pub changes_per_kind_max: usize,
    /// Their JSON, per kind.
    pub change_bytes_per_kind_max: usize,
    /// Those of them that are kept typed, per kind.
    pub typed_changes_per_kind_max: usize,
    /// Recent changes kept when every watcher has seen them and nobody has listed since, per kind: for those who come
    /// back after a broken connection.
    pub seen_changes_per_kind_max: usize,
    /// Their JSON, per kind.
    pub seen_change_bytes_per_kind_max: usize,
    /// Those of them that are kept typed, per kind.
    pub seen_typed_changes_per_kind_max: usize,
    /// For how long what changes after a list is kept for who has read it.
    pub lease: Duration,
    /// How long a lease does for lists that come after it, too.
    pub lease_shared_for: Duration,
    /// Leases of one kind; when there are more its oldest ends.
    pub leases_per_kind_max: usize,
    /// Objects kept typed that nobody holds.
    pub typed_objects_max: usize,
    /// Their JSON; typed they take several times as much.
    pub typed_bytes_max: usize,
    /// How often a write that others overtake is tried before it is answered with a conflict.
    pub write_attempts_max: usize,
    /// Objects of one `deletecollection` page.
    pub delete_page: usize,
    /// CustomResourceDefinitions, without those of built-in kinds; a further one is refused.
    pub definitions_max: usize,
    /// Versions of one CustomResourceDefinition.
    pub versions_max: usize,
    /// Events of the audit log that wait to be written; further ones are lost.
    pub audit_queue_max: usize,
    /// Their bytes.
    pub audit_queue_bytes_max: usize,
    /// A file of the audit log; then another is begun.
    pub audit_file_bytes_max: u64,
    /// How many files the audit log has, the one that is written among them.
    pub audit_files_max: usize,
    /// When it is tried again to take away what belongs to definitions that go.
    pub clean_up_backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: resources::custom::BODY_BYTES_MAX as usize,
            json_patch_operations_max: 10_000,
            json_patch_copied_bytes_max: 3 << 20,
            json_patch_steps_max: 20_000_000,
            depth_max: 100,
            nodes_max: 250_000,
            object_bytes_max: 3 << 20,
            managers_max: 200,
            connections_max: 4096,
            reads_in_flight_max: 400,
            writes_in_flight_max: 200,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(60),
            unread_bytes_max: 64 << 20,
            unread_timeout: Duration::from_secs(10),
            answer_stall_max: Duration::from_secs(60),
            streams_per_connection_max: 250,
            drain_timeout: Duration::from_secs(10),
            exec_sessions_max: 128,
            exec_message_bytes_max: 4 << 20,
            watch_timeout_min: Duration::from_secs(1800),
            watch_timeout_max: Duration::from_secs(365 * 24 * 3600),
            bookmark_interval: Duration::from_secs(60),
            changes_per_kind_max: 4096,
            change_bytes_per_kind_max: 16 << 20,
            typed_changes_per_kind_max: 256,
            seen_changes_per_kind_max: 512,
            seen_change_bytes_per_kind_max: 1 << 20,
            seen_typed_changes_per_kind_max: 32,
            lease: Duration::from_secs(30),
            lease_shared_for: Duration::from_millis(500),
            leases_per_kind_max: 64,
            typed_objects_max: 1024,
            typed_bytes_max: 64 << 20,
            write_attempts_max: 16,
            delete_page: 500,
            definitions_max: 1000,
            versions_max: 32,
            audit_queue_max: 16 << 10,
            audit_queue_bytes_max: 8 << 20,
            audit_file_bytes_max: 64 << 20,
            audit_files_max: 5,
            clean_up_backoff: Backoff { min: Duration::from_millis(500), max: Duration::from_secs(60) },
        }
    }
}
