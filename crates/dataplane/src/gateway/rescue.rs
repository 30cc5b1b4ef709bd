//! The one place where a failure becomes a response.

use std::convert::Infallible;
use std::error::Error as _;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::body::Body;
use crate::stack::Inbound;
use crate::step::Step;
use crate::{Error, Side};

/// When what is only missing for the moment is worth another try, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Answers for whatever could not be answered further in.
pub(crate) struct Rescue<S> {
    pub(crate) inner: S,
}

impl<S> Step<Inbound> for Rescue<S>
where
    S: Step<Inbound, Output = Response<Body>, Error = Error>,
{
    type Output = Response<Body>;
    type Error = Infallible;

    async fn call(&self, inbound: Inbound) -> Result<Response<Body>, Infallible> {
        let busy = inbound.connection.begin(inbound.request.version());
        let response = self.inner.call(inbound).await.unwrap_or_else(|error| respond(&error));
        Ok(response.map(|body| body.keeping(busy)))
    }
}

fn respond(error: &Error) -> Response<Body> {
    let status = status(error);
    if error.side() == Side::Instance {
        tracing::info!(%error, source = error.source().map(tracing::field::display), status = status.as_u16(), "request failed");
    }
    let hint = error.hint().map(|hint| hint + "\n").unwrap_or_default();
    let mut response = Response::new(Body::text(format!("{error}\n{hint}")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::BadHost | Error::BadProbe { .. } => StatusCode::BAD_REQUEST,
        Error::UnknownHost { .. }
        | Error::InsideHost { .. }
        | Error::NotReady { .. }
        | Error::UnknownPath { .. } => StatusCode::NOT_FOUND,
        Error::RewriteLoop { .. } => StatusCode::LOOP_DETECTED,
        Error::UnknownRevision { .. }
        | Error::CannotStart { .. }
        | Error::QueueFull { .. }
        | Error::Draining => StatusCode::SERVICE_UNAVAILABLE,
        Error::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        Error::Connect { .. } | Error::Unsent { .. } | Error::Broken { .. } => StatusCode::BAD_GATEWAY,
    }
}
