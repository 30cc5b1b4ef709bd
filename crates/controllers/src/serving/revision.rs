//! Revision → Deployment, PodAutoscaler and Images, once its images are known.

mod deployment;
mod digests;
mod hash;
mod image;
mod meta;
mod pod_autoscaler;
mod pods;
mod port;
mod probe;
mod queue_proxy;
mod resolver;
mod status;
mod user_container;

use std::sync::Arc;

use futures::future::BoxFuture;
use objects::{Action, Controller, ListOptions, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    autoscaling::PodAutoscaler,
    builtin::{Deployment, Pod},
    condition::{self, Condition, READY},
    config::Configs,
    labels, names,
    networking::Image,
    serving::{ContainerStatus, Revision},
};

use self::{
    deployment::desired_deployment,
    digests::{Digests, Outcome},
    image::desired_images,
    pod_autoscaler::{desired_pod_autoscaler, reachability},
    pods::{Trouble, is_telling, trouble},
    status::{Observed, available, has_timed_out, is_stuck, revision_status, wanted},
};
pub(crate) use self::{deployment::progress_deadline, port::Protocol};
pub use self::{
    pods::POD_SPEC_HONORED,
    resolver::{ImageQuery, ImageResolver},
};
use super::{
    child::{Child, again, create, ensure},
    configuration::{is_failed, is_ready},
    context::Context,
    events::{self, News, WithEvents},
    requeue::requeue_on_change,
    under_way::UnderWay,
};

/// Pods looked at for what is wrong; they fail alike.
const PODS_LOOKED_AT_MAX: usize = 5;

struct Revisions {
    context: Context,
    digests: Arc<Digests>,
    under_way: UnderWay,
}

/// The controller of Revisions, and the lookups of their images beside it.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let controller = Controller::new::<Revision>("revision", context.client.clone())
        .owns::<Revision, Deployment>()
        .owns::<Revision, PodAutoscaler>()
        .watches::<Pod>(ListOptions::all(), |pod| {
            let revision = pod.label(labels::REVISION).filter(|_| is_telling(pod));
            revision.map(|revision| ObjectKey::new(pod.namespace(), revision)).into_iter().collect()
        });
    let digests = Arc::new(Digests::new());
    Box::pin(async move {
        let queue = controller.queue();
        let matters = |old: &Configs, new: &Configs| {
            old.deployment != new.deployment
                || old.features != new.features
                || old.logging != new.logging
                || old.observability != new.observability
        };
        let configs = requeue_on_change::<Revision>(
            &context.client,
            Arc::clone(&queue),
            context.configs.clone(),
            matters,
        );
        let lookups = digests.run(Arc::clone(&context.images), queue);
        let reconciler = Revisions {
            context: context.clone(),
            digests: Arc::clone(&digests),
            under_way: UnderWay::default(),
        };
        let reconciler = WithEvents::<Revision, _>::new(&context, reconciler);
        tokio::join!(controller.run(reconciler), lookups, configs);
    })
}

impl Reconcile for Revisions {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(revision) = client.find::<Revision>(key).await?.filter(|revision| !revision.is_deleting())
        else {
            self.digests.forget(key);
            self.under_way.forget(key);
            return Ok(Action::Wait);
        };
        let configs = self.context.configs();
        let observed = self.observe(&revision, &configs).await?;
        let mut next = Revision::clone(&revision);
        next.status = revision_status(&revision, &observed, &configs, &self.context.now());
        let news = news(&revision, &next);
        let again = again(observed.has_foreign());
        if let Some(later) = self.under_way.write_status(client, &*revision, next).await? {
            return Ok(again.or_sooner(later));
        }
        if let Some(news) = news {
            events::record(&self.context, &*revision, news).await;
        }
        Ok(again)
    }
}

/// What there is to tell when a Revision's status changes. Its way to zero and back changes nothing here.
fn news(before: &Revision, after: &Revision) -> Option<News> {
    if is_ready(after) && !is_ready(before) {
        return Some(News::normal("RevisionReady", "Revision becomes ready upon all resources being ready"));
    }
    let ready = condition::get(&after.status.conditions, READY)?;
    (is_failed(after) && !is_failed(before))
        .then(|| News::warning("RevisionFailed", format!("{}: {}", ready.reason, ready.message)))
}

impl Revisions {
    async fn observe(&self, revision: &Revision, configs: &Configs) -> Result<Observed> {
        let digests = self.digests.outcome(revision, configs);
        let Outcome::Resolved(resolved) = &digests else {
            return Ok(Observed {
                digests,
                deployment: None,
                pod_autoscaler: None,
                trouble: Trouble::default(),
            });
        };
        let client = &self.context.client;
        let deployment = desired_deployment(revision, resolved, configs);
        let deployment = ensure(client, revision, deployment, deployment::merge).await?;
        let trouble = self.trouble(revision, &deployment, configs).await?;
        let mut stuck = is_stuck(revision, deployment.own(), None);
        if stuck {
            let key = ObjectKey::new(revision.namespace(), names::pod_autoscaler(revision.name()));
            let before = client.find::<PodAutoscaler>(&key).await?;
            stuck = is_stuck(revision, deployment.own(), before.as_deref());
        }
        let autoscaler = desired_pod_autoscaler(revision, reachability(revision, stuck), configs);
        let autoscaler = ensure(client, revision, autoscaler, pod_autoscaler::merge).await?;
        self.ensure_images(revision, resolved).await?;
        Ok(Observed { digests, deployment: Some(deployment), pod_autoscaler: Some(autoscaler), trouble })
    }

    /// Looks at pods only while there is something to be found out: a Revision that works says so by its Deployment.
    async fn trouble(
        &self,
        revision: &Revision,
        deployment: &Child<Deployment>,
        configs: &Configs,
    ) -> Result<Trouble> {
        let Some(deployment) = deployment.own().filter(|deployment| wanted(deployment) > 0) else {
            return Ok(Trouble::default());
        };
        let available = available(deployment);
        let is_ready = condition::get(&revision.status.conditions, READY).is_some_and(Condition::is_true);
        if available > 0 && is_ready {
            return Ok(Trouble::default());
        }
        let options = ListOptions {
            limit: PODS_LOOKED_AT_MAX,
            ..ListOptions::namespace(revision.namespace()).label(labels::REVISION_UID, revision.uid())
        };
        let pods = self.context.client.list::<Pod>(&options).await?.items;
        let mut trouble =
            trouble(&pods, configs.deployment.pod_is_always_schedulable, has_timed_out(deployment));
        if available > 0 {
            trouble.resources = None;
            trouble.containers = None;
        }
        Ok(trouble)
    }

    async fn ensure_images(&self, revision: &Revision, digests: &[ContainerStatus]) -> Result<()> {
        let client = &self.context.client;
        // They are made once and never change, since neither does a Revision's spec.
        let first = revision
            .spec
            .containers
            .first()
            .map(|container| names::image_cache(revision.name(), &container.name));
        if let Some(name) = first
            && client.find::<Image>(&ObjectKey::new(revision.namespace(), name)).await?.is_some()
        {
            return Ok(());
        }
        for image in desired_images(revision, digests).into_iter().rev() {
            // The first one is made last: it stands for all.
            if client.find::<Image>(&image.key()).await?.is_none() {
                create(client, image).await?;
            }
        }
        Ok(())
    }
}
