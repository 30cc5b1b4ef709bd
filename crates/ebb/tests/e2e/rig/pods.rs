//! Looking into pods: the sample takes steps and prints what it sees.

use serde_json::Value;

use super::{Ebb, until};

/// The arguments of a container that takes these steps, and then ends.
pub(crate) fn steps(checks: &[(&str, &str)]) -> String {
    let steps: Vec<_> = checks.iter().map(|(step, _)| *step).chain(["exit=0"]).collect();
    serde_json::to_string(&steps).unwrap()
}

impl Ebb {
    /// Waits until an object is as it should be.
    pub(crate) fn settled(&self, kind: &str, name: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        let found = until(|| {
            last = self.object(kind, name);
            last.clone().filter(|object| is(object))
        });
        found.unwrap_or_else(|| {
            let status = last.map(|object| object["status"].to_string()).unwrap_or_default();
            panic!("{kind} {name} is not as it should be: {status}{}", self.story())
        })
    }

    /// Waits until a pod is in this phase.
    pub(crate) fn in_phase(&self, pod: &str, phase: &str) -> Value {
        self.settled("pod", pod, |pod| pod["status"]["phase"] == phase)
    }

    /// What a container printed.
    pub(crate) fn log(&self, pod: &str, container: &str) -> String {
        self.kubectl(&["logs", pod, "-c", container])
    }

    /// Compares what a container printed with what its steps should have come to.
    pub(crate) fn saw(&self, pod: &str, container: &str, checks: &[(&str, &str)]) {
        let log = self.log(pod, container);
        let lines: Vec<_> = log.lines().filter_map(|line| line.split_once(" ->")).collect();
        for (at, (step, expect)) in checks.iter().enumerate() {
            let result = lines.get(at).map(|(_, result)| result.trim());
            assert_eq!(result, Some(*expect), "{pod}/{container} {step}:\n{log}");
        }
    }
}
