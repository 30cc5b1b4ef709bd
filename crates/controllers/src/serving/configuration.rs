//! Configuration → a Revision for each state of its template, and the latest of them that is ready.

mod garbage_collector;
pub(super) mod named;
mod news;
mod revision;
mod status;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use objects::{Action, Controller, Error, ListOptions, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    condition::{self, READY},
    labels,
    serving::{Configuration, Revision},
};

pub(super) use self::status::{is_failed, is_ready};
use self::{
    garbage_collector::surplus,
    named::{NameOwner, name_owner},
    news::news,
    revision::{desired_revision, revision_name},
    status::{LatestCreated, configuration_status},
};
use super::{child::is_controlled_by, context::Context, events, under_way::UnderWay};

pub(super) struct Configurations {
    context: Context,
    under_way: UnderWay,
}

impl Configurations {
    pub(super) fn new(context: Context) -> Self {
        Self { context, under_way: UnderWay::default() }
    }

    pub(super) fn controller(context: &Context) -> Controller {
        Controller::new::<Configuration>("configuration", context.client.clone())
            .owns_looked_at::<Configuration, Revision>(looked_at)
    }

    async fn latest_created(&self, configuration: &Configuration) -> Result<LatestCreated> {
        let client = &self.context.client;
        let name = revision_name(configuration);
        let key = ObjectKey::new(configuration.namespace(), name.clone());
        match client.find::<Revision>(&key).await? {
            Some(revision) if name_owner(configuration, &revision) == NameOwner::Own => {
                return Ok(LatestCreated::Made(revision));
            }
            Some(_) => {
                return Ok(LatestCreated::Refused(format!(
                    "revisions.serving.knative.dev {name:?} already exists"
                )));
            }
            None => {}
        }
        let revision = desired_revision(configuration, &self.context.now());
        match events::create(&self.context, configuration, revision).await {
            Ok(revision) => Ok(LatestCreated::Made(revision)),
            // The same template will be refused again: only the user can help, so say it rather than retry.
            Err(error @ (Error::Invalid { .. } | Error::BadRequest(_) | Error::Forbidden { .. })) => {
                Ok(LatestCreated::Refused(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    async fn own_revisions(&self, configuration: &Configuration) -> Result<Vec<Arc<Revision>>> {
        let options = ListOptions::namespace(configuration.namespace())
            .label(labels::CONFIGURATION, configuration.name());
        let mut revisions = self.context.client.list::<Revision>(&options).await?.items;
        revisions.retain(|revision| is_controlled_by(&**revision, configuration));
        Ok(revisions)
    }
}

impl Reconcile for Configurations {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let configuration = client.find::<Configuration>(key).await?;
        let Some(configuration) = configuration.filter(|configuration| !configuration.is_deleting()) else {
            self.under_way.forget(key);
            return Ok(Action::Wait);
        };
        let now = self.context.now();
        let latest = self.latest_created(&configuration).await?;
        let revisions = self.own_revisions(&configuration).await?;
        let mut next = Configuration::clone(&configuration);
        next.status = configuration_status(&configuration, &latest, &revisions, &now);
        let surplus = surplus(&next, &revisions, &self.context.configs().gc, now.0);
        for revision in surplus.now {
            tracing::info!(revision = %revision.key(), "no Route leads to it and it is past the limits of config-gc: deleting it");
            client.delete_exactly(&*revision).await?;
        }
        let news = news(&configuration.status, &next.status, &latest);
        let again = surplus.next.map_or(Action::Wait, Action::After);
        if let Some(later) = self.under_way.write_status(client, &*configuration, next).await? {
            return Ok(again.or_sooner(later));
        }
        for news in news {
            events::record(&self.context, &*configuration, news).await;
        }
        Ok(again)
    }
}

/// What of a Revision concerns its Configuration, as a hash: whether it is ready, and what decides how long it is kept. Its
/// way to zero and back does not.
fn looked_at(revision: &Revision) -> u64 {
    let metadata = &revision.metadata;
    let ready = condition::get(&revision.status.conditions, READY);
    let ready = ready.map(|ready| (&ready.status, &ready.reason, &ready.message));
    let mut hasher = DefaultHasher::new();
    (&metadata.labels, &metadata.annotations, revision.is_deleting(), ready).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use resources::{autoscaling::ACTIVE, condition::Status, meta::Time};

    use super::*;

    #[test]
    fn a_configuration_looks_at_whether_a_revision_is_ready_and_its_labels() {
        let set = |revision: &mut Revision, name: &str, status: Status| {
            let now = Time(Timestamp::UNIX_EPOCH);
            condition::set(&mut revision.status.conditions, name, status, "", "", "", &now);
        };
        let mut revision = Revision::default();
        set(&mut revision, READY, Status::True);
        set(&mut revision, ACTIVE, Status::True);
        let before = looked_at(&revision);
        set(&mut revision, ACTIVE, Status::False);
        revision.status.actual_replicas = Some(0);
        revision.metadata.resource_version = Some("7".to_owned());
        assert_eq!(looked_at(&revision), before);
        let mut failed = revision.clone();
        set(&mut failed, READY, Status::False);
        let mut labelled = revision.clone();
        labelled.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
        assert!([failed, labelled].iter().all(|revision| looked_at(revision) != before));
    }
}
