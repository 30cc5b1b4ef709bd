//! Endpoints beside the Kubernetes API that others bring along.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};

use crate::{RequestBody, authentication::User};

/// The body of every answer: whole, or a stream.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Answers requests under a prefix. Called only for users who may use the path; the body comes as a stream without a limit.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, user: User, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>>;
}

/// A body that is whole.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
