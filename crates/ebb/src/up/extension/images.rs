//! The images of this machine: what is there, one more, one less.

use http::StatusCode;
use http_body_util::BodyExt;
use images::{Digest, Error, ImageSummary, Reference, Store};
use objects::Client;
use serde_json::{Value, json};
use tokio_util::io::StreamReader;

use super::{Answer, Refusal, image_users};
use apiserver::{Query, RequestBody};

/// How many of an image's users a refusal names.
const USERS_NAMED_MAX: usize = 5;

pub(super) fn list(store: &Store) -> Value {
    let item = |image: ImageSummary| {
        json!({
            "reference": image.reference.to_string(),
            "digest": image.digest.to_string(),
            "size": image.size,
            "loaded": jiff::Timestamp::try_from(image.loaded).ok(),
        })
    };
    json!({ "items": store.list().into_iter().map(item).collect::<Vec<_>>() })
}

pub(super) async fn load(store: Store, query: Query, body: RequestBody) -> Answer {
    let reader = StreamReader::new(body.into_data_stream());
    let name = query.get("name").map(str::to_owned);
    let loaded = images::load_async(&store, reader, name).await?;
    let image = |(reference, digest): (Reference, Digest)| json!({ "reference": reference.to_string(), "digest": digest.to_string() });
    Ok(json!({ "images": loaded.into_iter().map(image).collect::<Vec<_>>() }))
}

/// Forgets a name of an image. The last name of what is still used goes only by force, as Docker has it: what runs goes
/// on without it, but could not start again.
pub(super) async fn remove(client: &Client, store: Store, query: &Query) -> Answer {
    let name = query
        .get("reference")
        .ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "name an image with ?reference="))?;
    let reference: Reference = name.parse()?;
    if query.get("force") != Some("true")
        && let Some(digest) = last_of_its_digest(&store, &reference)
    {
        let users = image_users::users(client, &store, &digest).await.map_err(Refusal::internal)?;
        if !users.is_empty() {
            return Err(in_use(&reference, &users));
        }
    }
    let removed = tokio::task::spawn_blocking(move || store.remove(&reference)).await;
    removed.map_err(Refusal::internal)??;
    Ok(json!({}))
}

/// The digest behind a name, when no other name leads to it.
fn last_of_its_digest(store: &Store, reference: &Reference) -> Option<Digest> {
    let images = store.list();
    let digest = images.iter().find(|image| image.reference == *reference).map(|image| &image.digest)?;
    let names = images.iter().filter(|image| image.digest == *digest).count();
    (names == 1).then(|| digest.clone())
}

fn in_use(reference: &Reference, users: &[String]) -> Refusal {
    let named = users.iter().take(USERS_NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = users.len().saturating_sub(USERS_NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let message = format!(
        "unable to remove image {reference} (must force): it is used by {named}{more}; delete what uses it, or remove it \
         with --force: what runs goes on, but cannot start again"
    );
    Refusal::new(StatusCode::CONFLICT, message).about(reference.to_string())
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::NotInStore(name) => {
                let message = format!("{error}; `ebb image list` shows those that are");
                return Self::new(StatusCode::NOT_FOUND, message).about(name.clone());
            }
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Io { .. } | Error::StoreInUse(_) | Error::StoreVersion { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(code, format!("{:#}", anyhow::Error::from(error)))
    }
}
