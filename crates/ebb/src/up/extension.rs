//! Ebb's own endpoints beside the Kubernetes API: images, and the last cold starts.
//!
//! | | |
//! |---|---|
//! | `GET /ebb/v1/images` | the images of this machine |
//! | `POST /ebb/v1/images?name=REF` | loads the archive in the body |
//! | `DELETE /ebb/v1/images?reference=REF[&force=true]` | forgets an image |
//! | `GET /ebb/v1/coldstarts?namespace=N&service=S` | where the time of the last cold starts went, and how containers run |

mod cold_starts;
mod image_users;
mod images;

use ::images::Store;
use apiserver::{Body, Handler, Query, RequestBody, User};
use dataplane::Handle;
use futures::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use objects::Client;
use serde_json::{Value, json};

use crate::args::RuntimeKind;

/// The handler.
pub(super) struct Extension {
    pub(super) images: Store,
    pub(super) handle: Handle,
    pub(super) client: Client,
    pub(super) runtime: RuntimeKind,
}

impl Handler for Extension {
    fn handle(&self, _: User, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let (store, handle, client) = (self.images.clone(), self.handle.clone(), self.client.clone());
        let runtime = self.runtime;
        Box::pin(async move {
            let query = Query::parse(request.uri().query());
            let answer = match (request.method(), request.uri().path()) {
                (&Method::GET, "/ebb/v1/images") => Ok(images::list(&store)),
                (&Method::POST, "/ebb/v1/images") => images::load(store, query, request.into_body()).await,
                (&Method::DELETE, "/ebb/v1/images") => images::remove(&client, store, &query).await,
                (&Method::GET, "/ebb/v1/coldstarts") => {
                    cold_starts::list(&handle, &client, runtime, &query).await
                }
                (_, path) => {
                    Err(Refusal::new(StatusCode::NOT_FOUND, format!("{path} is not an endpoint of Ebb's")))
                }
            };
            let (code, body) = match answer {
                Ok(body) => (StatusCode::OK, body),
                Err(refusal) => (refusal.code, refusal.status()),
            };
            let mut response = Response::new(apiserver::full(body.to_string()));
            *response.status_mut() = code;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        })
    }
}

type Answer = Result<Value, Refusal>;

/// Why something is not done, for a `metav1.Status`.
#[derive(Debug)]
struct Refusal {
    code: StatusCode,
    message: String,
    /// What it is about: says that this is missing, and not the endpoint.
    name: Option<String>,
}

impl Refusal {
    fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), name: None }
    }

    fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }

    fn about(self, name: String) -> Self {
        Self { name: Some(name), ..self }
    }

    fn status(self) -> Value {
        let reason = match self.code {
            StatusCode::NOT_FOUND => "NotFound",
            StatusCode::CONFLICT => "Conflict",
            StatusCode::PAYLOAD_TOO_LARGE => "RequestEntityTooLarge",
            StatusCode::BAD_REQUEST => "BadRequest",
            _ => "InternalError",
        };
        json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": reason,
            "details": self.name.map(|name| json!({ "name": name })),
            "code": self.code.as_u16(),
        })
    }
}
