//! From an object of any kind to the rules of its kind.

use std::{any::Any, sync::Arc};

use super::{FieldError, Rejection, Request, metadata, rejection::invalid};
use crate::{
    autoscaling::{Metric, PodAutoscaler},
    builtin::{
        ClusterRole, ClusterRoleBinding, ConfigMap, Deployment, EndpointSlice, Endpoints, Event,
        HorizontalPodAutoscaler, Job, Lease, MutatingWebhookConfiguration, Namespace, Node, Pod,
        PodDisruptionBudget, ReplicaSet, Role, RoleBinding, Secret, Service, ServiceAccount, StatefulSet,
        ValidatingWebhookConfiguration, autoscaling_v1, events,
    },
    config::Configs,
    custom::CustomResourceDefinition,
    networking::{Certificate, ClusterDomainClaim, Image, Ingress, ServerlessService},
    object::{DynObject, Object, downcast},
    serving,
};

/// What the rules of a kind may look at besides the object.
pub(super) struct Context<'a, K> {
    /// The object as it is stored; `None` on create.
    pub(super) old: Option<&'a K>,
    pub(super) request: &'a Request<'a>,
    pub(super) configs: &'a Configs,
}

/// The rules of one kind.
pub(super) trait Rules: Object {
    /// Fills in what the user left out.
    fn set_defaults(&mut self, context: &Context<'_, Self>);

    /// Says what is wrong.
    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection>;

    /// Says what is wrong with the status, which alone is written over that of `old`.
    fn validate_status(&self, _old: &Self) -> Vec<FieldError> {
        Vec::new()
    }

    /// Says what is right but unwise.
    fn warnings(&self, _configs: &Configs) -> Vec<String> {
        Vec::new()
    }
}

macro_rules! dispatch {
    ($($kind:ty),* $(,)?) => {
        /// Defaults and validates an object that is about to be stored.
        ///
        /// The object must have its name and namespace; a name still to be generated is the only thing that may be
        /// missing. A write of `status` alone changes neither metadata nor spec, and passes as it is: what was valid
        /// when it was stored must not keep controllers from writing statuses after the configuration changed.
        pub fn admit(
            request: &Request<'_>,
            object: Arc<dyn DynObject>,
            configs: &Configs,
        ) -> Result<Arc<dyn DynObject>, Rejection> {
            if request.subresource == Some("status") {
                return Ok(object);
            }
            $( if (*object).is::<$kind>() {
                return admit_as::<$kind>(request, object, configs);
            } )*
            Ok(object)
        }

        /// What is unwise about an object that was admitted, for `Warning` headers.
        pub fn warnings(object: &dyn DynObject, configs: &Configs) -> Vec<String> {
            $( if let Some(object) = as_type::<$kind>(object) {
                return object.warnings(configs);
            } )*
            Vec::new()
        }

        /// Validates a status that somebody writes over that of `old`, and the metadata that came with it.
        pub fn check_status(object: &dyn DynObject, old: &dyn DynObject) -> Result<(), Rejection> {
            let mut errors = Vec::new();
            metadata::validate_common(object.metadata(), &metadata::ROOT, &mut errors);
            $( if let (Some(object), Some(old)) = (as_type::<$kind>(object), as_type::<$kind>(old)) {
                errors.extend(object.validate_status(old));
            } )*
            invalid(errors)
        }

        #[cfg(test)]
        pub(super) fn covers(kind: &crate::Kind) -> bool {
            [$( <$kind as Object>::kind() ),*].contains(&kind)
        }
    };
}

dispatch! {
    Pod, ReplicaSet, Deployment, StatefulSet, EndpointSlice, Endpoints, Service, Event, Lease,
    PodAutoscaler, ServerlessService, Ingress, Metric, Image, Certificate, ClusterDomainClaim,
    serving::Service, serving::Configuration, serving::Revision, serving::Route,
    ConfigMap, Secret, Namespace, ServiceAccount, Node, CustomResourceDefinition,
    Role, ClusterRole, RoleBinding, ClusterRoleBinding, HorizontalPodAutoscaler, PodDisruptionBudget, Job,
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, events::Event,
    autoscaling_v1::HorizontalPodAutoscaler,
}

impl dyn DynObject {
    fn is<K: Object>(&self) -> bool {
        (self as &dyn Any).is::<K>()
    }
}

fn as_type<K: Object>(object: &dyn DynObject) -> Option<&K> {
    (object as &dyn Any).downcast_ref()
}

fn admit_as<K: Rules>(
    request: &Request<'_>,
    object: Arc<dyn DynObject>,
    configs: &Configs,
) -> Result<Arc<dyn DynObject>, Rejection> {
    let object = downcast::<K>(object).expect("the caller has looked at the type");
    let mut object = Arc::unwrap_or_clone(object);
    let context = Context { old: request.old().and_then(as_type::<K>), request, configs };
    object.set_defaults(&context);
    object.validate(&context)?;
    Ok(Arc::new(object))
}
