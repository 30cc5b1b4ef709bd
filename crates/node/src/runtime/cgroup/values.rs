//! What limits are written as. Pure.

use crate::runtime::Resources;

/// The period over which a processor limit is enforced, in microseconds (upstream: kubelet, cpuCFSQuotaPeriod).
const PERIOD: u64 = 100_000;
/// The smallest quota the kernel takes.
const QUOTA_MIN: u64 = 1_000;
/// The smallest and the largest share of version 1.
const SHARES: (u64, u64) = (2, 262_144);
/// Processes of the runtime itself in a container's group: its init.
const OWN_PROCESSES: u64 = 1;

/// A value for a control file.
pub(super) type Setting = (&'static str, String);

/// The controller and its settings, version 1.
pub(super) fn version_1(resources: &Resources) -> Vec<(&'static str, Setting)> {
    let mut settings = vec![("cpu", ("cpu.shares", shares(resources.cpu_request_millis).to_string()))];
    if let Some(limit) = resources.cpu_limit_millis {
        settings.push(("cpu", ("cpu.cfs_period_us", PERIOD.to_string())));
        settings.push(("cpu", ("cpu.cfs_quota_us", quota(limit).to_string())));
    }
    if let Some(limit) = resources.memory_limit {
        settings.push(("memory", ("memory.limit_in_bytes", limit.to_string())));
    }
    if let Some(limit) = resources.pids_limit {
        settings.push(("pids", ("pids.max", (limit + OWN_PROCESSES).to_string())));
    }
    settings
}

/// The controller and its settings, version 2.
pub(super) fn version_2(resources: &Resources) -> Vec<(&'static str, Setting)> {
    let mut settings =
        vec![("cpu", ("cpu.weight", weight(shares(resources.cpu_request_millis)).to_string()))];
    if let Some(limit) = resources.cpu_limit_millis {
        settings.push(("cpu", ("cpu.max", format!("{} {PERIOD}", quota(limit)))));
    }
    if let Some(limit) = resources.memory_limit {
        settings.push(("memory", ("memory.max", limit.to_string())));
        // A container that lost one process to the limit is broken: end all of it, so that it is restarted
        // (upstream: kubelet, singleProcessOOMKill false).
        settings.push(("memory", ("memory.oom.group", "1".to_owned())));
    }
    if let Some(limit) = resources.pids_limit {
        settings.push(("pids", ("pids.max", (limit + OWN_PROCESSES).to_string())));
    }
    settings
}

fn shares(request_millis: Option<u64>) -> u64 {
    (request_millis.unwrap_or(0).saturating_mul(1024) / 1000).clamp(SHARES.0, SHARES.1)
}

/// Upstream: kubelet, cgroup version 2 conversion of shares 2..262144 to weights 1..10000.
fn weight(shares: u64) -> u64 {
    1 + (shares - SHARES.0) * 9_999 / (SHARES.1 - SHARES.0)
}

fn quota(limit_millis: u64) -> u64 {
    (limit_millis.saturating_mul(PERIOD) / 1000).max(QUOTA_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_both_versions() {
        let all = Resources {
            cpu_request_millis: Some(500),
            cpu_limit_millis: Some(1500),
            memory_limit: Some(64 << 20),
            pids_limit: Some(100),
        };
        let tiny =
            Resources { cpu_request_millis: Some(1), cpu_limit_millis: Some(1), ..Resources::default() };
        let cases = [
            (Resources::default(), "cpu.shares=2", "cpu.weight=1"),
            (
                tiny,
                "cpu.shares=2 cpu.cfs_period_us=100000 cpu.cfs_quota_us=1000",
                "cpu.weight=1 cpu.max=1000 100000",
            ),
            (
                all,
                "cpu.shares=512 cpu.cfs_period_us=100000 cpu.cfs_quota_us=150000 \
                 memory.limit_in_bytes=67108864 pids.max=101",
                "cpu.weight=20 cpu.max=150000 100000 memory.max=67108864 memory.oom.group=1 pids.max=101",
            ),
        ];
        let text = |settings: Vec<(&str, Setting)>| {
            let parts: Vec<_> = settings.iter().map(|(_, (file, value))| format!("{file}={value}")).collect();
            parts.join(" ")
        };
        for (resources, expected_1, expected_2) in cases {
            assert_eq!(text(version_1(&resources)), expected_1);
            assert_eq!(text(version_2(&resources)), expected_2);
        }
    }
}
