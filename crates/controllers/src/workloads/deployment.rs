//! Deployment → ReplicaSets, one per template, and the way from one to the next.

mod revision;
mod rollout;
mod status;
mod template;

use std::{collections::BTreeMap, sync::Arc};

use objects::{Action, Error, ListOptions, Reconcile, Result, WriteTarget};
use resources::{
    Object, ObjectKey, admission,
    annotations::DEPLOYMENT_REVISION,
    builtin::{Deployment, ReplicaSet, ReplicaSetSpec},
    meta::{LabelSelector, ObjectMeta, Time},
    provided,
};

use super::{
    Context,
    events::News,
    stand_in::{StandIn, stand_in},
};
use crate::serving::child::controlled_by;

pub(super) struct Reconciler {
    context: Context,
    /// Since when it works: what happened to a Deployment before, and what did not, counts towards no deadline.
    started: Time,
}

impl Reconciler {
    pub(super) fn new(context: Context) -> Self {
        let started = context.now();
        Self { context, started }
    }
}

impl Reconcile for Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(deployment) = client.find::<Deployment>(key).await? else { return Ok(Action::Wait) };
        if deployment.is_deleting() {
            return Ok(Action::Wait);
        }
        if provided::is_marked(&deployment.metadata) {
            return stand_in::<Deployment>(&self.context, key).await;
        }
        let options = ListOptions::namespace(deployment.namespace()).owned_by(deployment.uid());
        let sets = client.list::<ReplicaSet>(&options).await?.items;
        let hash = template::hash(&deployment);
        if rollout::is_paused(&deployment) {
            return self.keep_size(&deployment, &hash, sets).await;
        }
        let (current, old): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| template::hash_of(set) == Some(&hash));
        let current = match current.into_iter().next() {
            Some(set) => self.number(&deployment, set, &old).await?,
            None => {
                let first = rollout::first_size(&deployment, &old);
                let mut set = replica_set(&deployment, &hash, first);
                set.metadata.annotations = Some(revision::annotations(&deployment, None, &old));
                match client.create(set).await {
                    Err(error) if error.is_already_exists() => return self.adopt(&deployment, &hash).await,
                    created => {
                        let created = created?;
                        if first > 0 {
                            self.context.tell(&*deployment, || scaled(&created, 0, first));
                        }
                        created
                    }
                }
            }
        };
        for (set, replicas) in rollout::sizes(&deployment, &current, &old) {
            self.scale(&deployment, &set, replicas).await?;
        }
        self.forget_old(&deployment, &old).await?;
        // Its generation with it, so that the status speaks of it as it then is.
        let deployment = self.tell_revision(deployment, &current).await?;
        self.write_status(&deployment, Some(&current), &old).await
    }
}

impl Reconciler {
    /// What a paused Deployment still does.
    async fn keep_size(
        &self,
        deployment: &Deployment,
        hash: &str,
        sets: Vec<Arc<ReplicaSet>>,
    ) -> Result<Action> {
        if let Some((set, replicas)) = rollout::paused_size(deployment, &sets) {
            self.scale(deployment, &set, replicas).await?;
        }
        let (current, old): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| template::hash_of(set) == Some(hash));
        self.write_status(deployment, current.first().map(|set| &**set), &old).await
    }

    /// Gives a set another size.
    async fn scale(&self, deployment: &Deployment, set: &ReplicaSet, replicas: i32) -> Result<()> {
        let key = set.key();
        let resized = self.context.client.modify::<ReplicaSet>(WriteTarget::Object, &key, |set| {
            if let Some(spec) = &mut set.spec {
                spec.replicas = Some(replicas);
            }
        });
        match resized.await {
            Err(error) if error.is_not_found() => return Ok(()),
            resized => drop(resized?),
        }
        self.context.tell(deployment, || scaled(set, rollout::wanted(set), replicas));
        Ok(())
    }

    /// Gives the current set its number, which is another one when its template is current again, and what else it has of
    /// the Deployment.
    async fn number(
        &self,
        deployment: &Deployment,
        current: Arc<ReplicaSet>,
        old: &[Arc<ReplicaSet>],
    ) -> Result<Arc<ReplicaSet>> {
        let annotations = revision::annotations(deployment, Some(&current), old);
        if current.metadata.annotations.as_ref() == Some(&annotations) {
            return Ok(current);
        }
        let key = current.key();
        let numbered = self.context.client.modify::<ReplicaSet>(WriteTarget::Object, &key, |set| {
            set.metadata.annotations = Some(annotations.clone());
        });
        numbered.await
    }

    /// Says at which revision the Deployment is, and returns it so.
    async fn tell_revision(
        &self,
        deployment: Arc<Deployment>,
        current: &ReplicaSet,
    ) -> Result<Arc<Deployment>> {
        let Some(revision) = current.annotation(DEPLOYMENT_REVISION) else { return Ok(deployment) };
        if deployment.annotation(DEPLOYMENT_REVISION) == Some(revision) {
            return Ok(deployment);
        }
        let key = deployment.key();
        let told = self.context.client.modify::<Deployment>(WriteTarget::Object, &key, |deployment| {
            let annotations = deployment.metadata.annotations.get_or_insert_default();
            annotations.insert(DEPLOYMENT_REVISION.to_owned(), revision.to_owned());
        });
        match told.await {
            Err(error) if error.is_not_found() => Ok(deployment),
            // Another spec has not been looked at.
            told => told.map(|told| if told.spec == deployment.spec { told } else { deployment }),
        }
    }

    /// Takes over what an earlier Deployment left as orphans: the ReplicaSet of this template's name, and with it all that
    /// nobody controls and the selector finds.
    ///
    /// Upstream looks for orphans each time. Here that a name is taken gives them away: a Deployment that was made again
    /// begins with the template that it ended with.
    async fn adopt(&self, deployment: &Deployment, hash: &str) -> Result<Action> {
        let client = &self.context.client;
        let namespace = ListOptions::namespace(deployment.namespace());
        let found = client.list::<ReplicaSet>(&namespace).await?.items;
        for set in found.iter().filter(|set| is_orphan_of(deployment, set)) {
            let key = set.key();
            let adopted = client.modify::<ReplicaSet>(WriteTarget::Object, &key, |set| {
                if is_orphan_of(deployment, set) {
                    set.metadata.owner_references.get_or_insert_default().push(controlled_by(deployment));
                }
            });
            adopted.await?;
        }
        let key = ObjectKey::new(deployment.namespace(), format!("{}-{hash}", deployment.name()));
        if controller(&*client.get::<ReplicaSet>(&key).await?) == Some(deployment.uid()) {
            // Its change brings this key back.
            return Ok(Action::Wait);
        }
        Err(Error::Internal(format!(
            "ReplicaSet {key} belongs to another object; delete it, or rename the Deployment"
        )))
    }

    /// Keeps as many empty old ReplicaSets as `revisionHistoryLimit` says.
    async fn forget_old(&self, deployment: &Deployment, old: &[Arc<ReplicaSet>]) -> Result<()> {
        let keep = deployment.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10);
        let mut empty: Vec<_> =
            old.iter().filter(|set| rollout::wanted(set) == 0 && rollout::existing(set) == 0).collect();
        empty.sort_by_key(|set| {
            (revision::number(set), set.metadata.creation_timestamp.as_ref().map(|time| time.0))
        });
        let surplus = empty.len().saturating_sub(usize::try_from(keep).unwrap_or(0));
        for set in &empty[..surplus] {
            self.context.client.delete_exactly(&***set).await?;
        }
        Ok(())
    }

    async fn write_status(
        &self,
        deployment: &Deployment,
        current: Option<&ReplicaSet>,
        old: &[Arc<ReplicaSet>],
    ) -> Result<Action> {
        let now = self.context.now();
        let (status, again) = status::status(deployment, current, old, &self.started, &now);
        let written = self
            .context
            .client
            .modify::<Deployment>(WriteTarget::Status, &deployment.key(), |deployment| {
                deployment.status = Some(status.clone());
            })
            .await;
        match written {
            Err(error) if error.is_not_found() => {}
            written => drop(written?),
        }
        Ok(again.map_or(Action::Wait, Action::After))
    }
}

impl StandIn for Deployment {
    fn stand_in(&mut self, now: &Time) {
        self.status = Some(status::provided(self, now));
    }
}

/// Whether the Deployment may take the set over: nobody controls it, and the whole of the selector finds it. One that
/// asks for nothing finds none.
fn is_orphan_of(deployment: &Deployment, set: &ReplicaSet) -> bool {
    let selector = deployment.spec.as_ref().map(|spec| &spec.selector);
    let asks = |selector: &&LabelSelector| {
        selector.match_labels.as_ref().is_some_and(|labels| !labels.is_empty())
            || selector.match_expressions.as_ref().is_some_and(|expressions| !expressions.is_empty())
    };
    let none = BTreeMap::new();
    let labels = set.metadata.labels.as_ref().unwrap_or(&none);
    controller(set).is_none()
        && !set.is_deleting()
        && selector.filter(asks).is_some_and(|selector| admission::matches(selector, labels))
}

/// The uid of who controls the set.
fn controller(set: &ReplicaSet) -> Option<&str> {
    let mut owners = set.metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
}

/// What is told of a set that has another size (upstream: kubernetes, deployment `scaleReplicaSet`).
fn scaled(set: &ReplicaSet, before: i32, after: i32) -> News {
    let way = if after > before { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {} from {before} to {after}", set.name());
    News::normal("ScalingReplicaSet", message)
}

/// The ReplicaSet of the Deployment's template.
fn replica_set(deployment: &Deployment, hash: &str, replicas: i32) -> ReplicaSet {
    let spec = deployment.spec.clone().unwrap_or_default();
    let (template, selector) = template::stamped(&spec, hash);
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", deployment.name())),
            namespace: deployment.metadata.namespace.clone(),
            labels: template.metadata.as_ref().and_then(|metadata| metadata.labels.clone()),
            owner_references: Some(vec![controlled_by(deployment)]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(replicas),
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
        }),
        status: None,
    }
}

#[cfg(test)]
mod tests;
