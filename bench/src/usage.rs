//! What processes use, from `/proc`: processor time and memory of a process and all below it.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{Context, Result};

/// Processor time and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Of the processes that are, and of those that were and have been waited for.
    pub(crate) cpu: Duration,
    /// Proportional set size in bytes: what is shared counts in parts.
    pub(crate) pss: u64,
    /// How many processes.
    pub(crate) processes: usize,
}

/// What `pid` and everything below it use.
pub(crate) fn of_tree(pid: u32) -> Result<Usage> {
    let mut usage = Usage { cpu: cpu_of_tree(pid)?, ..Usage::default() };
    for pid in tree(pid, &stats()?) {
        // One that has just ended uses nothing.
        let Ok(rollup) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        usage.pss += pss(&rollup).with_context(|| format!("reading Pss of process {pid}"))?;
        usage.processes += 1;
    }
    Ok(usage)
}

/// The processor time of `pid` and everything below it.
pub(crate) fn cpu_of_tree(pid: u32) -> Result<Duration> {
    let stats = stats()?;
    let ticks: u64 = tree(pid, &stats).iter().filter_map(|pid| stats.get(pid)).map(|stat| stat.ticks).sum();
    Ok(ticks_to_time(ticks))
}

/// As [`cpu_of_tree`], to the nanosecond, but without processes and threads that have ended: for what is idle.
pub(crate) fn running_of_tree(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for pid in tree(pid, &stats()?) {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for thread in threads.flatten() {
            let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            total +=
                parse_schedstat(&text).with_context(|| format!("schedstat of process {pid}: {text:?}"))?;
        }
    }
    Ok(Duration::from_nanos(total))
}

/// The kernel's unit of processor time.
pub(crate) fn ticks_to_time(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The parts of `/proc/PID/stat` that count.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stat {
    parent: u32,
    /// Its own time, and that of its children that have been waited for.
    ticks: u64,
}

fn stats() -> Result<HashMap<u32, Stat>> {
    let mut stats = HashMap::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        stats.extend(parse_stat(&text).map(|stat| (pid, stat)));
    }
    Ok(stats)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // A program's name may hold spaces and parentheses; the numbers come after the last one.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let times = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>().ok());
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks: times.sum::<Option<u64>>()? })
}

/// Nanoseconds on a processor; waiting time and time slices follow.
fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn tree(root: u32, stats: &HashMap<u32, Stat>) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(stats.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

fn pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says() {
        let stat = "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5 6 7";
        assert_eq!(parse_stat(stat), Some(Stat { parent: 7, ticks: 100 }));
        assert_eq!(parse_stat("42 (a) S 7"), None);
        assert_eq!(parse_schedstat("142332 3253870 2\n"), Some(142_332));
        assert_eq!(
            pss("00-ff ---p 0 00:00 0 [rollup]\nRss:  9 kB\nPss:   12 kB\nPss_Dirty: 1 kB\n"),
            Some(12288)
        );
    }

    #[test]
    fn a_tree_is_everything_below() {
        let stats = [(1, 0), (2, 1), (3, 2), (4, 1), (5, 9)];
        let stats = stats.map(|(pid, parent)| (pid, Stat { parent, ticks: 0 })).into();
        let mut found = tree(2, &stats);
        found.sort_unstable();
        assert_eq!(found, [2, 3]);
        assert_eq!(tree(1, &stats).len(), 4);
    }
}
