//! A ServerlessService's status.

use resources::{
    Object,
    builtin::Service,
    meta::Time,
    networking::{
        ACTIVATOR_ENDPOINTS_POPULATED, ENDPOINTS_POPULATED, SERVERLESS_SERVICE_CONDITIONS, ServerlessService,
        ServerlessServiceStatus,
    },
};

use crate::serving::{
    child::Child,
    verdict::{Verdict, mark},
};

/// What became of a ServerlessService.
pub(super) enum Observed {
    /// There is no Deployment yet whose pods could be selected.
    NoTarget,
    Made {
        public: Child<Service>,
        private: Child<Service>,
    },
}

impl Observed {
    /// Whether a child's name is somebody else's.
    pub(super) fn has_foreign(&self) -> bool {
        match self {
            Self::NoTarget => false,
            Self::Made { public, private } => public.is_foreign() || private.is_foreign(),
        }
    }
}

/// The status of a ServerlessService.
pub(super) fn serverless_service_status(
    sks: &ServerlessService,
    observed: &Observed,
    now: &Time,
) -> ServerlessServiceStatus {
    let mut status = sks.status.clone();
    status.observed_generation = Some(sks.generation());
    let verdicts = match observed {
        Observed::NoTarget => {
            let waiting = Verdict::unknown("CreatingPrivateService", "the scale target is not there yet");
            vec![(ENDPOINTS_POPULATED, waiting)]
        }
        Observed::Made { public: Child::Own(public), private: Child::Own(private) } => {
            status.service_name = Some(public.name().to_owned());
            status.private_service_name = Some(private.name().to_owned());
            // The gateway answers for the public Service, with the activator in it.
            vec![(ENDPOINTS_POPULATED, Verdict::yes()), (ACTIVATOR_ENDPOINTS_POPULATED, Verdict::yes())]
        }
        Observed::Made { .. } => {
            let message = format!("There is an existing Service of {:?} that we do not own.", sks.name());
            vec![(ENDPOINTS_POPULATED, Verdict::no("NotOwned", message))]
        }
    };
    mark(&SERVERLESS_SERVICE_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}
