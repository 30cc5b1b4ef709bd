//! An Ingress' status from what the gateways serve.

use resources::{
    Object,
    meta::Time,
    networking::{INGRESS_CONDITIONS, Ingress, IngressStatus, LOAD_BALANCER_READY, NETWORK_CONFIGURED},
};

use crate::{
    network::gateways::{Applied, LoadBalancers},
    serving::verdict::{Verdict, mark},
};

/// Whether the gateways serve an Ingress as it now is.
pub(super) fn is_served(ingress: &Ingress, applied: Option<&Applied>) -> bool {
    applied.is_some_and(|applied| applied.uid == ingress.uid() && applied.generation >= ingress.generation())
}

/// The status of an Ingress that the gateways serve, or will.
pub(super) fn ingress_status(
    ingress: &Ingress,
    served: bool,
    balancers: LoadBalancers,
    now: &Time,
) -> IngressStatus {
    let mut status = ingress.status.clone();
    status.observed_generation = Some(ingress.generation());
    status.public_load_balancer = Some(balancers.public);
    status.private_load_balancer = Some(balancers.private);
    let ready = match served {
        true => Verdict::yes(),
        false => Verdict::unknown("Uninitialized", "Waiting for load balancer to be ready"),
    };
    let verdicts = [(NETWORK_CONFIGURED, Verdict::yes()), (LOAD_BALANCER_READY, ready)];
    mark(&INGRESS_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}

/// The status of an Ingress whose class nobody serves.
pub(super) fn unknown_class_status(ingress: &Ingress, class: &str, now: &Time) -> IngressStatus {
    let mut status = ingress.status.clone();
    status.observed_generation = Some(ingress.generation());
    let message = format!(
        "no gateway serves the ingress class {class:?}; leave the annotation networking.knative.dev/ingress.class \
         away for the default of config-network"
    );
    let no = Verdict::no("UnknownIngressClass", message);
    let verdicts = [(NETWORK_CONFIGURED, no.clone()), (LOAD_BALANCER_READY, no)];
    mark(&INGRESS_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}
