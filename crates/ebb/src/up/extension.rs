//! Ebb's own endpoints beside the Kubernetes API: images, and the last cold starts.
//!
//! | | |
//! |---|---|
//! | `GET /ebb/v1/images` | the images of this machine |
//! | `POST /ebb/v1/images?name=REF` | loads the archive in the body |
//! | `DELETE /ebb/v1/images?reference=REF` | forgets an image |
//! | `GET /ebb/v1/coldstarts?namespace=N&service=S` | where the time of the last cold starts went |

use std::io;

use apiserver::{Body, Handler, Query, User};
use dataplane::{ColdStart, Handle};
use futures::{TryStreamExt, future::BoxFuture};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use images::{Error, Reference, Store};
use objects::{Client, ListOptions};
use resources::{Object, labels, serving::Revision};
use serde_json::{Value, json};
use tokio_util::io::StreamReader;

/// The handler.
pub(super) struct Extension {
    pub(super) images: Store,
    pub(super) handle: Handle,
    pub(super) client: Client,
}

impl Handler for Extension {
    fn handle(&self, _: User, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        let (images, handle, client) = (self.images.clone(), self.handle.clone(), self.client.clone());
        Box::pin(async move {
            let query = Query::parse(request.uri().query());
            let answer = match (request.method(), request.uri().path()) {
                (&Method::GET, "/ebb/v1/images") => Ok(list(&images)),
                (&Method::POST, "/ebb/v1/images") => load(images, query, request.into_body()).await,
                (&Method::DELETE, "/ebb/v1/images") => remove(images, query).await,
                (&Method::GET, "/ebb/v1/coldstarts") => cold_starts(&handle, &client, &query).await,
                (_, path) => Err((StatusCode::NOT_FOUND, format!("{path} is not an endpoint of Ebb's"))),
            };
            let (status, body) = answer.map_or_else(
                |(code, message)| (code, failure(code, &message)),
                |body| (StatusCode::OK, body),
            );
            let mut response = Response::new(apiserver::full(body.to_string()));
            *response.status_mut() = status;
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
            response
        })
    }
}

type Answer = Result<Value, (StatusCode, String)>;

fn list(store: &Store) -> Value {
    let item = |image: images::ImageSummary| {
        json!({
            "reference": image.reference.to_string(),
            "digest": image.digest.to_string(),
            "size": image.size,
            "created": image.created,
        })
    };
    json!({ "items": store.list().into_iter().map(item).collect::<Vec<_>>() })
}

async fn load(store: Store, query: Query, body: Incoming) -> Answer {
    let name = query.get("name").map(|name| name.parse::<Reference>()).transpose().map_err(refused)?;
    let reader = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let loaded = images::load_async(&store, reader, name).await.map_err(refused)?;
    let image = |(reference, digest): (Reference, images::Digest)| json!({ "reference": reference.to_string(), "digest": digest.to_string() });
    Ok(json!({ "images": loaded.into_iter().map(image).collect::<Vec<_>>() }))
}

async fn remove(store: Store, query: Query) -> Answer {
    let name = query
        .get("reference")
        .ok_or((StatusCode::BAD_REQUEST, "name an image with ?reference=".to_owned()))?;
    let reference: Reference = name.parse().map_err(refused)?;
    let removed = tokio::task::spawn_blocking(move || store.remove(&reference)).await;
    removed.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?.map_err(refused)?;
    Ok(json!({}))
}

async fn cold_starts(handle: &Handle, client: &Client, query: &Query) -> Answer {
    let (namespace, service) =
        (query.get("namespace").unwrap_or("default"), query.get("service").unwrap_or_default());
    let options = ListOptions::namespace(namespace).label(labels::SERVICE, service);
    let revisions = client.list::<Revision>(&options).await;
    let revisions = revisions.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?.items;
    let starts = revisions.iter().flat_map(|revision| {
        handle
            .cold_starts(&revision.key())
            .into_iter()
            .map(|start| told(revision.name(), &start))
            .collect::<Vec<_>>()
    });
    Ok(json!({ "items": starts.collect::<Vec<_>>() }))
}

fn told(revision: &str, start: &ColdStart) -> Value {
    let ms = |part: std::time::Duration| part.as_secs_f64() * 1000.0;
    let age = jiff::SignedDuration::try_from(start.at.elapsed()).unwrap_or_default();
    json!({
        "revision": revision,
        "time": crate::runtime::now().saturating_sub(age).map(|time| format!("{time:.3}")).unwrap_or_default(),
        "totalMs": ms(start.queue + start.connect),
        "queueMs": ms(start.queue),
        "scheduleMs": start.parts.map(|parts| ms(parts.schedule)),
        "sandboxMs": start.parts.map(|parts| ms(parts.sandbox)),
        "startMs": start.parts.map(|parts| ms(parts.start)),
        "connectMs": ms(start.connect),
    })
}

fn refused(error: Error) -> (StatusCode, String) {
    let code = match &error {
        Error::NotInStore(_) => StatusCode::NOT_FOUND,
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Io { .. } | Error::StoreInUse(_) | Error::StoreVersion { .. } => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::BAD_REQUEST,
    };
    (code, format!("{:#}", anyhow::Error::from(error)))
}

/// A `metav1.Status`.
fn failure(code: StatusCode, message: &str) -> Value {
    let reason = match code {
        StatusCode::NOT_FOUND => "NotFound",
        StatusCode::PAYLOAD_TOO_LARGE => "RequestEntityTooLarge",
        StatusCode::BAD_REQUEST => "BadRequest",
        _ => "InternalError",
    };
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code.as_u16(),
    })
}
