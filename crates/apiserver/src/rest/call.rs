//! One request for a resource.

use std::sync::Arc;

use http::{HeaderMap, Method, Request};
use hyper::body::Incoming;

use super::{Form, Query, negotiate, path::Resource};
use crate::{
    registry::{Caller, Origin, Registry},
    selector::{FieldSelector, LabelSelector},
    server::Shared,
    status::Failure,
    store::Selection,
    tls::User,
};

/// A request whose path names a resource.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) user: User,
    pub(crate) method: Method,
    pub(crate) resource: Resource,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Incoming>,
}

impl Call {
    pub(super) fn new(
        shared: Arc<Shared>,
        user: User,
        resource: Resource,
        request: Request<Incoming>,
    ) -> Self {
        let (parts, body) = request.into_parts();
        let query = Query::parse(parts.uri.query());
        Self { shared, user, method: parts.method, resource, query, headers: parts.headers, body: Some(body) }
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.shared.registry
    }

    /// The time, for ages in tables.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.registry().chance.timestamp()
    }

    pub(crate) fn form(&self) -> Result<Form, Failure> {
        negotiate(&self.headers, &self.query)
    }

    /// Who writes, and how.
    pub(crate) fn caller(&self) -> Result<Caller<'_>, Failure> {
        Ok(Caller { user: &self.user.name, origin: Origin::Network, dry_run: self.dry_run()? })
    }

    /// Whether the caller wants an answer and no change.
    fn dry_run(&self) -> Result<bool, Failure> {
        let mut dry_run = false;
        for wish in self.query.all("dryRun") {
            if wish != "All" {
                let why = format!("Unsupported value: [{wish:?}]: supported values: \"All\"");
                return Err(Failure::options(self.options_kind(), &[("dryRun", why)]));
            }
            dry_run = true;
        }
        Ok(dry_run)
    }

    pub(super) fn options_kind(&self) -> &'static str {
        match self.method {
            Method::POST => "CreateOptions",
            Method::PUT => "UpdateOptions",
            Method::DELETE => "DeleteOptions",
            _ => "PatchOptions",
        }
    }

    /// The objects that the path and the selectors mean.
    pub(crate) fn selection(&self) -> Result<Selection, Failure> {
        let kind = self.resource.kind;
        let [label_text, field_text] =
            ["labelSelector", "fieldSelector"].map(|name| self.query.get(name).unwrap_or_default());
        let labels = LabelSelector::parse(label_text).map_err(Failure::bad_request)?;
        let fields = FieldSelector::parse(kind, field_text).map_err(Failure::bad_request)?;
        let name = self.resource.name.clone().or_else(|| fields.name().map(str::to_owned));
        Ok(Selection { namespace: self.resource.namespace.clone(), name, labels, fields, owner: None })
    }
}
