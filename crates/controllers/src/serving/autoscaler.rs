//! PodAutoscaler → the scale of its Deployment, a ServerlessService and a Metric (the KPA's reconciler).
//!
//! What is decided, and how a Revision comes to zero, is crate `autoscaler`; here it is fed and carried out. The way
//! from a request at zero to the Deployment's new scale is [`StatsHandle::report`], one key, one reconcile, whose first
//! write is that scale.

mod activity;
mod metric;
mod scaler;
mod serverless_service;
mod settings;
mod stats;
mod status;

use autoscaler::{Activity, DeciderSpec, ScaleAction, ScaleInput, Time, scale, sks_mode};
use futures::future::BoxFuture;
use objects::{Action, Controller, ListOptions, Reconcile, Result, WriteTarget};
use resources::{
    Object, ObjectKey,
    annotations::{CLASS, CLASS_HPA, CLASS_KPA},
    autoscaling::PodAutoscaler,
    builtin::Deployment,
    config::Configs,
    labels,
    networking::ServerlessService,
};

pub(crate) use self::settings::initial_scale;
pub use self::stats::{RevisionStat, StatsHandle};
use self::{
    activity::{activity, attended, time},
    metric::ensure_metric,
    scaler::activators_min,
    serverless_service::{desired_serverless_service, merge_serverless_service},
    settings::decider_spec,
    status::{Observed, is_initialized, pod_autoscaler_status, refused_status},
};
use super::{
    child::{FOREIGN_RECHECK, ensure, write_status},
    context::Context,
    events::WithEvents,
    requeue::requeue_on_change,
    revision::progress_deadline,
};

struct PodAutoscalers {
    context: Context,
    /// Since when it works; the time before counts towards no activation.
    started: Time,
}

/// The controller of PodAutoscalers, and the ticks of those that are active.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let controller = Controller::new::<PodAutoscaler>("podautoscaler", context.client.clone())
        .owns::<PodAutoscaler, ServerlessService>()
        .watches_settled::<Deployment>(ListOptions::all(), |deployment| {
            // A PodAutoscaler has its Revision's name.
            let revision = deployment.label(labels::REVISION);
            revision.map(|revision| ObjectKey::new(deployment.namespace(), revision)).into_iter().collect()
        });
    Box::pin(async move {
        context.stats.attach(controller.queue());
        let matters = |old: &Configs, new: &Configs| {
            old.autoscaler != new.autoscaler || old.deployment != new.deployment
        };
        let configs = requeue_on_change::<PodAutoscaler>(
            &context.client,
            controller.queue(),
            context.configs.clone(),
            matters,
        );
        let ticks = context.stats.tick();
        let autoscalers = PodAutoscalers { context: context.clone(), started: time(context.now().0) };
        tokio::join!(
            controller.run(WithEvents::<PodAutoscaler, _>::new(&context, autoscalers)),
            ticks,
            configs
        );
    })
}

impl Reconcile for PodAutoscalers {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let found = client.find::<PodAutoscaler>(key).await?;
        let Some(autoscaler) = found.filter(|autoscaler| !autoscaler.is_deleting()) else {
            self.context.stats.forget(key);
            return Ok(Action::Wait);
        };
        match CLASS.of(&autoscaler.metadata) {
            None | Some(CLASS_KPA) => {}
            Some(CLASS_HPA) => {
                let why =
                    format!("the class {CLASS_HPA} is not part of this release of Ebb; use {CLASS_KPA}");
                return self.refuse(&autoscaler, "ClassNotSupported", why).await;
            }
            // Somebody else's.
            Some(_) => {
                self.context.stats.forget(key);
                return Ok(Action::Wait);
            }
        }
        let configs = self.context.configs();
        match decider_spec(&autoscaler, &configs) {
            Ok(spec) => self.scale(&autoscaler, &spec, &configs).await,
            Err(error) => self.refuse(&autoscaler, "InvalidAnnotation", error.to_string()).await,
        }
    }
}

/// How many instances a Deployment has and shall have.
#[derive(Clone, Copy, Default)]
struct Size {
    wanted: i32,
    ready: i32,
}

impl PodAutoscalers {
    async fn scale(
        &self,
        autoscaler: &PodAutoscaler,
        spec: &DeciderSpec,
        configs: &Configs,
    ) -> Result<Action> {
        let client = &self.context.client;
        let key = autoscaler.key();
        let target = ObjectKey::new(
            key.namespace.clone(),
            autoscaler.spec.scale_target_ref.name.clone().unwrap_or_default(),
        );
        let deployment = client.find::<Deployment>(&target).await?;
        let size = deployment.as_deref().map(size);
        let now = self.context.now();
        let at = time(now.0);

        let inactive = matches!(activity(autoscaler), Some(Activity::Inactive { .. }));
        let active = !inactive || size.is_some_and(|size| size.wanted > 0);
        let ready = size.unwrap_or_default().ready;
        let decision = self.context.stats.decide(&key, spec, ready, active);
        // No entry means no load, so the wanted scale is 0.
        let desired = decision.map_or(0, |decision| decision.desired);
        let input = self.input(autoscaler, desired, configs);
        let action = scale(spec, &input, at);
        if let (Some(to), Some(size)) = (action.to, size) {
            self.apply(&target, size, to).await?;
        }

        let burst = decision
            .map_or_else(|| spec.initial_excess_burst_capacity(), |decision| decision.excess_burst_capacity);
        // The activator is part of the gateway: their number means nothing and need not follow the scale.
        let sks = desired_serverless_service(autoscaler, sks_mode(action.want, burst), activators_min());
        let serverless_service = ensure(client, autoscaler, sks, merge_serverless_service).await?;
        ensure_metric(&self.context, autoscaler, spec).await?;

        let made_with = size.map(|size| size.wanted);
        let observed = Observed { want: action.want, made_with, ready, serverless_service };
        let mut next = autoscaler.clone();
        next.status = pod_autoscaler_status(autoscaler, spec, &observed, &now);
        let at_zero = action.want == 0 && action.to == Some(0) && size.is_none_or(|size| size.wanted == 0);
        write_status(client, autoscaler, next).await?;
        if at_zero && inactive {
            self.context.stats.retire(&key);
        }
        Ok(again(action, observed.serverless_service.is_foreign()))
    }

    fn input(&self, autoscaler: &PodAutoscaler, desired: i32, configs: &Configs) -> ScaleInput {
        let activity =
            activity(autoscaler).unwrap_or(Activity::Activating { since: self.created(autoscaler) });
        ScaleInput {
            desired,
            activity: attended(activity, self.started),
            initialized: is_initialized(autoscaler),
            // Every request passes it, because it is part of the gateway.
            activator_in_path: true,
            proxied_since: None,
            progress_deadline: progress_deadline(&autoscaler.metadata, configs),
        }
    }

    fn created(&self, autoscaler: &PodAutoscaler) -> Time {
        let created = autoscaler.metadata.creation_timestamp.as_ref();
        time(created.map_or_else(|| (self.context.clock)(), |created| created.0))
    }

    async fn apply(&self, target: &ObjectKey, size: Size, to: i32) -> Result<()> {
        if size.wanted == to {
            return Ok(());
        }
        tracing::info!(deployment = %target, from = size.wanted, to, ready = size.ready, "scaling");
        let written = self.context.client.modify::<Deployment>(WriteTarget::Object, target, |deployment| {
            if let Some(spec) = &mut deployment.spec {
                spec.replicas = Some(to);
            }
        });
        match written.await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    async fn refuse(&self, autoscaler: &PodAutoscaler, reason: &str, why: String) -> Result<Action> {
        self.context.stats.forget(&autoscaler.key());
        let mut next = autoscaler.clone();
        next.status = refused_status(autoscaler, reason, why, &self.context.now());
        write_status(&self.context.client, autoscaler, next).await?;
        Ok(Action::Wait)
    }
}

fn size(deployment: &Deployment) -> Size {
    Size {
        wanted: deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        ready: deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
    }
}

fn again(action: ScaleAction, is_foreign: bool) -> Action {
    let recheck = is_foreign.then_some(FOREIGN_RECHECK);
    action.requeue_after.into_iter().chain(recheck).min().map_or(Action::Wait, Action::After)
}
