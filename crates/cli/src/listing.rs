//! What all list commands take, and how they fetch.

use kube::api::ListParams;
use resources::ObjectKey;

use crate::{
    api::{Served, Session},
    error::Error,
    output::Format,
};

/// The options of a list command.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ListArgs {
    /// List this one alone
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// List the objects of all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Print no headers
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// Output format: json|yaml|name|jsonpath=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
}

impl ListArgs {
    /// The objects meant, by namespace and name.
    pub(crate) async fn fetch<K: Served>(&self, session: &Session) -> Result<Vec<K>, Error> {
        self.fetch_with(session, ListParams::default()).await
    }

    /// The objects meant among those that fit the parameters.
    pub(crate) async fn fetch_with<K: Served>(
        &self,
        session: &Session,
        params: ListParams,
    ) -> Result<Vec<K>, Error> {
        let params = match &self.name {
            Some(name) => params.fields(&format!("metadata.name={name}")),
            None => params,
        };
        let mut objects: Vec<K> = session.list(self.all_namespaces, &params).await?;
        objects.sort_by_cached_key(|object| ObjectKey::of(object.metadata()));
        Ok(objects)
    }

    /// The headers wanted, with NAMESPACE where there are several.
    pub(crate) fn headers<'a>(&self, columns: &[&'a str]) -> Option<Vec<&'a str>> {
        let namespace = self.all_namespaces.then_some("NAMESPACE");
        (!self.no_headers).then(|| namespace.into_iter().chain(columns.iter().copied()).collect())
    }

    /// The NAMESPACE cell, where there is one.
    pub(crate) fn namespace_cell<K: Served>(&self, object: &K) -> Vec<String> {
        if self.all_namespaces { vec![object.namespace().to_owned()] } else { Vec::new() }
    }
}
