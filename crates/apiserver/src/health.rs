//! What `/livez` and `/readyz` say: named checks that others feed.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

/// The checks. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<String, Check>>>,
}

#[derive(Clone, Debug)]
struct Check {
    scope: Scope,
    /// Why it fails; `None` while it does not.
    failure: Option<String>,
}

/// What others are told of why a check fails (upstream: apiserver, `server/healthz`).
const WITHHELD: &str = "reason withheld";

/// Which question a check answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Only whether to send requests: part of `/readyz`.
    Ready,
    /// Also whether to go on at all: part of `/livez` and `/readyz`.
    Live,
}

impl Health {
    /// Says that a check fails and why, until it is said to pass.
    pub fn fail(&self, check: &str, scope: Scope, why: impl Into<String>) {
        self.checks.lock().insert(check.to_owned(), Check { scope, failure: Some(why.into()) });
    }

    /// Says that a check passes.
    pub fn pass(&self, check: &str, scope: Scope) {
        self.checks.lock().insert(check.to_owned(), Check { scope, failure: None });
    }

    /// The answer to a probe: whether all is well, and a line for each check, as kube-apiserver writes them. Why a check
    /// fails is for those who run Ebb; with `reasons` they ask themselves.
    pub(crate) fn report(
        &self,
        endpoint: &str,
        live_only: bool,
        excluded: &[&str],
        reasons: bool,
    ) -> (bool, String) {
        let checks = self.checks.lock();
        let asked = checks.iter().filter(|(_, check)| !live_only || check.scope == Scope::Live);
        let mut healthy = true;
        let mut lines = String::from("[+]ping ok\n");
        for (name, check) in asked {
            let line = match &check.failure {
                _ if excluded.contains(&name.as_str()) => format!("[+]{name} excluded: ok\n"),
                None => format!("[+]{name} ok\n"),
                Some(why) => {
                    healthy = false;
                    tracing::info!(endpoint, check = name, why, "a check fails");
                    format!("[-]{name} failed: {}\n", if reasons { why } else { WITHHELD })
                }
            };
            lines.push_str(&line);
        }
        lines.push_str(&format!("{endpoint} check {}\n", if healthy { "passed" } else { "failed" }));
        (healthy, lines)
    }
}
