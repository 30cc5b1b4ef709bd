//! Jobs: one that is a part of Ebb itself is complete, since what it would do is done.

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
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
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
}
