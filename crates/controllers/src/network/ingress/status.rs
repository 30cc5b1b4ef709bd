//! An Ingress' status from what the gateways serve.

use resources::{
    Object,
    condition::{self, Condition, READY},
    meta::Time,
    networking::{INGRESS_CONDITIONS, Ingress, IngressStatus, LOAD_BALANCER_READY, NETWORK_CONFIGURED},
};

use crate::{
    network::gateways::{DomainConflict, LoadBalancers, Served},
    serving::verdict::{Verdict, mark},
};

/// How an Ingress stands with the gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They do not serve it as it now is yet.
    Waiting,
    /// They do, on all of its hosts.
    Served,
    /// They do, but an older Ingress has one of its hosts.
    Conflict(DomainConflict),
}

impl Standing {
    pub(super) fn of(ingress: &Ingress, served: Option<Served>) -> Self {
        let is_current =
            |served: &Served| served.uid == ingress.uid() && served.generation >= ingress.generation();
        match served.filter(is_current) {
            None => Self::Waiting,
            Some(Served { conflict: Some(conflict), .. }) => Self::Conflict(conflict),
            Some(_) => Self::Served,
        }
    }
}

/// Whether its status says that it is ready as it now is.
pub(super) fn is_ready(ingress: &Ingress) -> bool {
    ingress.status.observed_generation == Some(ingress.generation())
        && condition::get(&ingress.status.conditions, READY).is_some_and(Condition::is_true)
}

/// The status of an Ingress that the gateways serve, or will.
pub(super) fn ingress_status(
    ingress: &Ingress,
    standing: Standing,
    balancers: LoadBalancers,
    now: &Time,
) -> IngressStatus {
    let mut status = ingress.status.clone();
    status.observed_generation = Some(ingress.generation());
    status.public_load_balancer = Some(balancers.public);
    status.private_load_balancer = Some(balancers.private);
    let ready = match standing {
        Standing::Served => Verdict::yes(),
        Standing::Waiting => Verdict::unknown("Uninitialized", "Waiting for load balancer to be ready"),
        Standing::Conflict(DomainConflict { host, owner }) => Verdict::no(
            "DomainConflict",
            format!(
                "Ingress rejected. Host {host} belongs to the older Ingress {owner}; delete one of the two, or give it \
                 another host"
            ),
        ),
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
