//! One request for a resource.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, header};
use hyper::upgrade::OnUpgrade;
use resources::DynObject;

use super::{Form, Query, negotiate, path::Resource};
use crate::{
    RequestBody,
    apply::Manager,
    authentication::User,
    authorization::{Asked, Attributes, check_grant},
    registry::{Caller, Origin, Registry},
    selector::{FieldSelector, LabelSelector},
    server::Shared,
    status::Failure,
    store::{Selection, Stored},
    table::{self, Column},
};

/// How long a field manager's name may be (upstream: apimachinery, `FieldManagerMaxLength`).
const FIELD_MANAGER_BYTES_MAX: usize = 128;

/// A request whose path names a resource.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) user: User,
    pub(crate) method: Method,
    pub(crate) resource: Resource,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<RequestBody>,
    /// The body's length once it is read; once it is parsed, about the length of its tree as JSON.
    pub(crate) body_bytes: usize,
    /// The connection, should it become something else.
    pub(crate) upgrade: Option<OnUpgrade>,
}

impl Call {
    pub(super) fn new(
        shared: Arc<Shared>,
        user: User,
        resource: Resource,
        request: Request<RequestBody>,
    ) -> Self {
        let (mut parts, body) = request.into_parts();
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let query = Query::parse(parts.uri.query());
        let (method, headers) = (parts.method, parts.headers);
        Self { shared, user, method, resource, query, headers, body: Some(body), body_bytes: 0, upgrade }
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.shared.registry
    }

    /// The time, for ages in tables.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.registry().environment.timestamp()
    }

    /// The columns of a table of the resource.
    pub(crate) fn columns(&self) -> &[Column] {
        table::columns(self.resource.kind, self.resource.definition.as_deref())
    }

    /// The deprecation warning of the version that the client uses.
    pub(crate) fn deprecation(&self) -> Vec<String> {
        let definition = self.resource.definition.as_ref();
        definition.and_then(|definition| definition.own.deprecation.clone()).into_iter().collect()
    }

    pub(crate) fn form(&self) -> Result<Form, Failure> {
        negotiate(&self.headers, &self.query).map(|(form, _)| form)
    }

    /// Who writes, and how.
    pub(crate) fn caller(&self) -> Result<Caller<'_>, Failure> {
        let manager =
            Manager::updater(self.manager_name()?, self.resource.kind, self.resource.subresource.as_deref());
        Ok(Caller {
            user: &self.user.name,
            origin: Origin::Network,
            manager: Some(manager),
            dry_run: self.dry_run()?,
            binds: false,
            body_bytes: self.body_bytes,
        })
    }

    /// Refuses a role or binding that gives rights which the caller does not have.
    pub(super) fn check_grant(
        &self,
        object: &Arc<dyn DynObject>,
        old: Option<&Stored>,
    ) -> Result<(), Failure> {
        if self.user.is_admin() {
            return Ok(());
        }
        let old = old.map(Stored::object).transpose()?;
        let name = self.resource.name.as_deref();
        check_grant(&self.shared.policies, &self.user, name, object, old.as_ref())
    }

    /// Whether the caller may create what the path names, where an update or an apply comes upon nothing (upstream:
    /// apiserver, `withAuthorization`).
    pub(super) async fn check_may_create(&self) -> Result<(), Failure> {
        let (kind, key) = (self.resource.kind, self.resource.key());
        let asked = Asked::Resource {
            group: kind.group.to_owned(),
            resource: kind.plural.to_owned(),
            subresource: self.resource.subresource.clone().unwrap_or_default(),
            namespace: key.namespace,
            name: key.name,
        };
        let attributes = Attributes { verb: "create".to_owned(), asked };
        let decision = self.shared.policies.authorize(&self.user, &attributes).await?;
        if decision.allowed {
            return Ok(());
        }
        Err(Failure::may_not_create(&self.user.name, &attributes, &decision.reason))
    }

    /// What the caller calls itself, or else its program's name (upstream: apiserver, `managerOrUserAgent`).
    fn manager_name(&self) -> Result<String, Failure> {
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let program = agent.and_then(|agent| agent.split('/').next()).unwrap_or("unknown");
        let name = self.query.get("fieldManager").unwrap_or(program);
        if name.len() > FIELD_MANAGER_BYTES_MAX {
            let why = format!("Too long: may not be more than {FIELD_MANAGER_BYTES_MAX} bytes");
            return Err(Failure::options(self.options_kind(), &[("fieldManager", why)]));
        }
        if name.chars().any(char::is_control) {
            let why = format!("Invalid value: {name:?}: should only contain printable characters");
            return Err(Failure::options(self.options_kind(), &[("fieldManager", why)]));
        }
        Ok(name.to_owned())
    }

    /// Whether the caller wants an answer and no change.
    fn dry_run(&self) -> Result<bool, Failure> {
        let mut dry_run = false;
        for wish in self.query.all("dryRun") {
            dry_run |= self::dry_run(wish, self.options_kind())?;
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

    /// As [`Call::selection`], after the fields that it names have been indexed.
    pub(crate) async fn selected(&self) -> Result<Selection, Failure> {
        let selection = self.selection()?;
        if let Some(definition) = &self.resource.definition {
            definition.prepare(&self.registry().store, &selection).await?;
        }
        Ok(selection)
    }

    /// The objects that the path and the selectors select.
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

/// What one word of `dryRun` says.
pub(super) fn dry_run(wish: &str, options: &str) -> Result<bool, Failure> {
    if wish == "All" {
        return Ok(true);
    }
    let why = format!("Unsupported value: [{wish:?}]: supported values: \"All\"");
    Err(Failure::options(options, &[("dryRun", why)]))
}
