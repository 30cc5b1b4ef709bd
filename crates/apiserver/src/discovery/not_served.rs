//! What Kubernetes and Knative have and Ebb has not yet: who asks for it is told so, and what to do. Of some kinds there is
//! a list, always empty; of the others there is nothing at all.

use http::Method;
use resources::{Kind, kinds};

use crate::status::Failure;

/// A group, or some of its resources.
struct Absent {
    group: &'static str,
    /// The resources in URLs; none for the whole group.
    resources: &'static [&'static str],
    what: &'static str,
    hint: &'static str,
}

impl Absent {
    /// Whether it would be there once its CustomResourceDefinitions were installed.
    fn is_not_installed(&self) -> bool {
        self.resources.is_empty() && self.group.ends_with(".knative.dev")
    }
}

const fn absent(
    group: &'static str,
    resources: &'static [&'static str],
    what: &'static str,
    hint: &'static str,
) -> Absent {
    Absent { group, resources, what, hint }
}

const LEAVE_OUT: &str = "leave it out";
const EVENTING: &str = "Eventing";
const SERVING_ALONE: &str = "of Knative it has Serving alone";
const STORED: &[&str] = &["persistentvolumeclaims", "persistentvolumes"];
const POLICIES: &[&str] = &[
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
];
const BOUNDS: &[&str] = &["limitranges", "resourcequotas"];

const ABSENT: &[Absent] = &[
    absent("", STORED, "volumes that outlive their pod", "pods have emptyDir volumes"),
    absent("", BOUNDS, "bounds of namespaces", LEAVE_OUT),
    absent("", &["replicationcontrollers"], "ReplicationControllers", "use a Deployment"),
    absent(
        "admissionregistration.k8s.io",
        POLICIES,
        "admission policies",
        "CustomResourceDefinitions may have rules of their own",
    ),
    absent("apps", &["daemonsets"], "DaemonSets", "use a Deployment"),
    absent("batch", &["cronjobs"], "CronJobs", "run a Pod with `restartPolicy: Never`"),
    absent("eventing.knative.dev", &[], EVENTING, SERVING_ALONE),
    absent("flows.knative.dev", &[], EVENTING, SERVING_ALONE),
    absent("messaging.knative.dev", &[], EVENTING, SERVING_ALONE),
    absent(
        "networking.k8s.io",
        &["ingressclasses", "ingresses", "networkpolicies"],
        "Ingresses and NetworkPolicies",
        "Knative Services are reached through the gateway",
    ),
    absent("scheduling.k8s.io", &[], "PriorityClasses", LEAVE_OUT),
    absent(
        "serving.knative.dev",
        &["domainmappings"],
        "DomainMappings",
        "`ebb up --domain` names the domain of all Services",
    ),
    absent("sinks.knative.dev", &[], EVENTING, SERVING_ALONE),
    absent("sources.knative.dev", &[], EVENTING, SERVING_ALONE),
    absent("storage.k8s.io", &[], "StorageClasses", "pods have emptyDir volumes"),
];

/// The answer for a group, or a resource in a group, that is not served.
pub(crate) fn not_served(method: &Method, group: &str, resource: Option<&str>) -> Failure {
    let is_meant = |absent: &&Absent| {
        absent.group == group
            && (absent.resources.is_empty()
                || resource.is_some_and(|resource| absent.resources.contains(&resource)))
    };
    match ABSENT.iter().find(is_meant) {
        // Who looks is answered as where nobody installed it: kn knows by that answer, and by no other, what to say.
        Some(absent) if absent.is_not_installed() && matches!(*method, Method::GET | Method::HEAD) => {
            Failure::nowhere()
        }
        Some(Absent { what, hint, .. }) => Failure::no_such_path().for_lack_of(what, hint),
        None if kinds::listed().chain(kinds::reviews().iter().copied()).any(|kind| kind.group == group) => {
            Failure::no_such_path()
        }
        None => Failure::nowhere(),
    }
}

/// The answer to who wants to write an object of a kind of which there are none.
pub(crate) fn not_written(kind: &Kind) -> Failure {
    let failure = Failure::method_not_allowed();
    let is_meant = |absent: &&Absent| absent.group == kind.group && absent.resources.contains(&kind.plural);
    match ABSENT.iter().find(is_meant) {
        Some(Absent { what, hint, .. }) => failure.for_lack_of(what, hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_what_there_is_none_of_is_told_what_to_do() {
        for kind in kinds::empty() {
            let told = not_written(kind).to_status();
            let message = told["message"].as_str().unwrap();
            assert!(message.contains("this version of Ebb has no "), "{kind:?}: {message}");
            assert_eq!(told["code"], 405, "{kind:?}");
        }
    }
}
