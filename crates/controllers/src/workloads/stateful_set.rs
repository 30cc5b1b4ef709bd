//! StatefulSets: one that is a part of Ebb itself is there and ready.

use resources::{
    builtin::{StatefulSet, StatefulSetCondition, StatefulSetStatus},
    meta::Time,
};

use super::{
    pods::count,
    stand_in::{PROVIDED, StandIn, explanation},
};

/// The name that Deployments have for it; upstream says nothing of the kind of StatefulSets.
const AVAILABLE: &str = "Available";

impl StandIn for StatefulSet {
    fn stand_in(&mut self, now: &Time) {
        let before = self.status.take().and_then(|status| status.conditions).unwrap_or_default();
        let before = before.into_iter().find(|condition| condition.type_ == AVAILABLE);
        let since = before.and_then(|condition| condition.last_transition_time);
        let available = StatefulSetCondition {
            type_: AVAILABLE.to_owned(),
            status: "True".to_owned(),
            reason: Some(PROVIDED.to_owned()),
            message: Some(explanation::<Self>()),
            last_transition_time: since.or_else(|| Some(now.clone())),
        };
        let replicas = self.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        self.status = Some(StatefulSetStatus {
            observed_generation: self.metadata.generation,
            replicas,
            ready_replicas: count(replicas),
            current_replicas: count(replicas),
            updated_replicas: count(replicas),
            available_replicas: Some(replicas),
            conditions: Some(vec![available]),
            ..StatefulSetStatus::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stateful_set_of_ebb_itself_is_ready_in_every_generation() {
        let mut set: StatefulSet = serde_json::from_value(json!({
            "metadata": {"name": "request-reply", "generation": 1},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
        }))
        .unwrap();
        set.stand_in(&Time(Timestamp::from_second(5).unwrap()));
        let first = set.clone();
        set.stand_in(&Time(Timestamp::from_second(9).unwrap()));
        assert_eq!(set, first, "it is written once");
        set.metadata.generation = Some(2);
        set.spec.as_mut().unwrap().replicas = Some(3);
        set.stand_in(&Time(Timestamp::from_second(9).unwrap()));
        let condition = json!({
            "type": "Available", "status": "True", "reason": "Provided", "lastTransitionTime": "1970-01-01T00:00:05Z",
            "message": "Ebb itself does what this StatefulSet is for; no pods are run for it.",
        });
        let expect = json!({
            "observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3,
            "availableReplicas": 3, "conditions": [condition],
        });
        assert_eq!(serde_json::to_value(&set.status).unwrap(), expect);
    }
}
