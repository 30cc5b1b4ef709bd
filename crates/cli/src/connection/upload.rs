//! Requests whose body is too large to hold in memory.
//!
//! `kube::Client` takes bodies that are complete. This is the same stack, the kubeconfig's TLS and credentials over
//! hyper, with a body that streams.

use std::io;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kube::{client::ConfigExt, config::Config};
use tokio::time::timeout;
use tower::{BoxError, ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::CONNECT_MAX;

/// A body that is read while it is sent.
pub(crate) type UploadBody = UnsyncBoxBody<Bytes, io::Error>;
/// The body of an answer.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;
/// Sends streaming requests to the API. The URI of a request is a path.
pub(crate) type Uploader = BoxCloneSyncService<Request<UploadBody>, Response<AnswerBody>, BoxError>;

/// The stack for one API.
pub(crate) fn uploader(config: &Config) -> kube::Result<Uploader> {
    // `kube::Client` bounds this by itself.
    let connector = ServiceExt::<Uri>::map_future(config.rustls_https_connector()?, |connecting| {
        Box::pin(async move {
            match timeout(CONNECT_MAX, connecting).await {
                Ok(connected) => connected,
                Err(late) => Err(BoxError::from(io::Error::new(io::ErrorKind::TimedOut, late))),
            }
        })
    });
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(client)
        .map_response(|answer| answer.map(|body| body.map_err(BoxError::from).boxed_unsync()));
    Ok(BoxCloneSyncService::new(service.map_err(BoxError::from)))
}
