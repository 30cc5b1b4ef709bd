//! DELETE of one object, or of many.

use std::sync::Arc;

use http::{Response, StatusCode};
use resources::{
    Kind, Object, ObjectKey,
    builtin::{Pod, Service, ServiceAccount},
};

use super::{call::Call, list, options, reply};
use crate::{
    discovery,
    mount::Body,
    registry::Deleted,
    status::{self, Failure},
    store::{Page, PageOptions, Start, Stored},
};

pub(super) async fn one(mut call: Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let options = options::delete(&mut call).await?;
    let caller = call.caller()?;
    let (kind, key) = (call.resource.kind, call.resource.key());
    let Deleted { stored, gone } = call.registry().delete(kind, &key, &options, &caller).await?;
    if gone && !answers_with_object(kind) {
        let object = stored.object()?;
        let uid = object.metadata().uid.as_deref().unwrap_or_default();
        return Ok(reply::value(StatusCode::OK, &status::deleted(kind, &key.name, uid)));
    }
    reply::object(&call, StatusCode::OK, &stored, &form)
}

/// Deletes every object that the selectors select, and answers with their list.
pub(super) async fn collection(mut call: Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let options = options::delete(&mut call).await?;
    let selection = call.selected().await?;
    let caller = call.caller()?;
    let (registry, kind) = (Arc::clone(call.registry()), call.resource.kind);
    if call.resource.namespace.is_none()
        && (kind.namespaced || !discovery::verbs(kind).contains(&"deletecollection"))
    {
        return Err(Failure::method_not_allowed());
    }
    let mut items: Vec<Arc<Stored>> = Vec::new();
    let mut from = Start::Now;
    loop {
        let page = PageOptions { limit: registry.limits.delete_page, from };
        let page = registry.store.page(kind, &selection, page).await?;
        for stored in page.items {
            let key = ObjectKey::of(stored.object()?.metadata());
            match registry.delete(kind, &key, &options, &caller).await {
                // Upstream answers with what was there.
                Ok(_) => items.push(stored),
                Err(objects::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match page.next {
            // The list goes on with what there is: the version that it began at may have expired by now.
            Some(place) => from = Start::Place(place.anew()),
            None => break,
        }
    }
    let mut page = Page { items, version: registry.store.version(), next: None };
    call.resource.view_all(&mut page.items).await?;
    let metadata = list::metadata(&page);
    list::respond(&call, &form, &page, metadata).await
}

/// Most kinds answer a delete with a `Status`, some with the object (upstream: `ReturnDeletedObject`).
fn answers_with_object(kind: &Kind) -> bool {
    [Pod::kind(), Service::kind(), ServiceAccount::kind()].contains(&kind)
}
