//! The headers of the network contract between Knative's parts.

use http::HeaderName;

/// Asks a part of the path to answer itself: `probe`, `activator`, `queue`.
pub(crate) const PROBE: HeaderName = HeaderName::from_static("k-network-probe");
/// Which version of an ingress a probe asks for, and the answer to it.
pub(crate) const HASH: HeaderName = HeaderName::from_static("k-network-hash");
/// A kubelet's probe that lost its user agent on the way.
pub(crate) const KUBELET_PROBE: HeaderName = HeaderName::from_static("k-kubelet-probe");
/// The host before an ingress rewrote it.
pub(crate) const ORIGINAL_HOST: HeaderName = HeaderName::from_static("k-original-host");
/// Marks what the activator proxied; the application never sees it.
pub(crate) const PROXY_REQUEST: HeaderName = HeaderName::from_static("k-proxy-request");
pub(crate) const PASSTHROUGH: HeaderName = HeaderName::from_static("k-passthrough-lb");
pub(crate) const REVISION: HeaderName = HeaderName::from_static("knative-serving-revision");
pub(crate) const NAMESPACE: HeaderName = HeaderName::from_static("knative-serving-namespace");
pub(crate) const TAG: HeaderName = HeaderName::from_static("knative-serving-tag");
pub(crate) const DEFAULT_ROUTE: HeaderName = HeaderName::from_static("knative-serving-default-route");

pub(crate) const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
pub(crate) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
pub(crate) const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What an application must not be sent: it steers the path, and its names are not the user's.
pub(crate) const INTERNAL: [HeaderName; 8] =
    [REVISION, NAMESPACE, TAG, DEFAULT_ROUTE, ORIGINAL_HOST, PROXY_REQUEST, PASSTHROUGH, KUBELET_PROBE];

/// How all of [`INTERNAL`] begin.
pub(crate) const INTERNAL_INITIAL: char = 'k';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_names_have_their_initial() {
        assert!(INTERNAL.iter().all(|name| name.as_str().starts_with(INTERNAL_INITIAL)));
    }
}
