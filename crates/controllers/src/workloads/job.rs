//! Jobs: one that is a part of Ebb itself is complete, since what it would do is done.

use jiff::{SignedDuration, Timestamp};
use resources::{
    builtin::{Job, JobCondition, JobStatus},
    meta::Time,
};

use super::stand_in::{PROVIDED, StandIn, explanation};

impl StandIn for Job {
    fn stand_in(&mut self, now: &Time) {
        let before = self.status.take().unwrap_or_default();
        let end = before.completion_time.unwrap_or_else(|| now.clone());
        let condition = |name: &str| JobCondition {
            type_: name.to_owned(),
            status: "True".to_owned(),
            reason: Some(PROVIDED.to_owned()),
            message: Some(explanation::<Self>()),
            last_probe_time: Some(end.clone()),
            last_transition_time: Some(end.clone()),
        };
        let completions = self.spec.as_ref().and_then(|spec| spec.completions);
        self.status = Some(JobStatus {
            conditions: Some(vec![condition("SuccessCriteriaMet"), condition("Complete")]),
            start_time: before.start_time.or_else(|| Some(end.clone())),
            completion_time: Some(end.clone()),
            succeeded: Some(completions.unwrap_or(1)),
            ready: Some(0),
            terminating: Some(0),
            uncounted_terminated_pods: Some(Default::default()),
            ..JobStatus::default()
        });
    }

    fn kept_until(&self) -> Option<Timestamp> {
        let seconds = self.spec.as_ref()?.ttl_seconds_after_finished?;
        let end = self.status.as_ref()?.completion_time.as_ref()?;
        // A time beyond all times does not come.
        end.0.checked_add(SignedDuration::from_secs(seconds.into())).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_of_ebb_itself_is_complete_since_it_was_first_seen() {
        let job = json!({"metadata": {"name": "default-domain"}, "spec": {"completions": 3, "template": {}}});
        let mut job: Job = serde_json::from_value(job).unwrap();
        job.stand_in(&Time(Timestamp::from_second(5).unwrap()));
        let first = job.clone();
        job.stand_in(&Time(Timestamp::from_second(9).unwrap()));
        assert_eq!(job, first, "it is written once");
        let status = serde_json::to_value(&job.status).unwrap();
        let at = "1970-01-01T00:00:05Z";
        let told = ["startTime", "completionTime", "succeeded"].map(|field| status[field].clone());
        assert_eq!(told, [json!(at), json!(at), json!(3)], "{status}");
        let condition = |name: &str| {
            json!({
                "type": name, "status": "True", "reason": "Provided", "lastProbeTime": at, "lastTransitionTime": at,
                "message": "Ebb itself does what this Job is for; no pods are run for it.",
            })
        };
        assert_eq!(status["conditions"], json!([condition("SuccessCriteriaMet"), condition("Complete")]));
    }
    #[test]
    fn a_job_is_kept_as_long_after_its_end_as_it_says() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        for (ttl, end, expect) in [
            (None, Some(5), None),
            (Some(600), None, None),
            (Some(600), Some(5), Some(605)),
            (Some(0), Some(5), Some(5)),
            (Some(i32::MAX), Some(Timestamp::MAX.as_second()), None),
        ] {
            let job = json!({"metadata": {}, "spec": {"ttlSecondsAfterFinished": ttl, "template": {}}});
            let mut job: Job = serde_json::from_value(job).unwrap();
            job.status =
                end.map(|end| JobStatus { completion_time: Some(Time(at(end))), ..JobStatus::default() });
            assert_eq!(job.kept_until(), expect.map(at), "{ttl:?} after {end:?}");
        }
    }
}
