//! How long ago something was, in the words of `kubectl get`.
//!
//! Upstream: apimachinery, `util/duration`: the longer ago, the coarser.

use jiff::Timestamp;
use resources::{duration::human, meta::Time};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// `3m12s`, `5h`, `2d4h`: for lists. `<unknown>` without a time.
pub(crate) fn age(since: Option<&Time>, now: Timestamp) -> String {
    let Some(since) = since else { return "<unknown>".into() };
    human(now.duration_since(since.0).as_secs())
}

/// `3m`, `5h`, `2d`: for descriptions. Empty without a time.
pub(crate) fn short_age(since: Option<&Time>, now: Timestamp) -> String {
    let Some(since) = since else { return String::new() };
    let seconds = now.duration_since(since.0).as_secs();
    match seconds {
        ..-1 => "<invalid>".into(),
        -1..0 => "0s".into(),
        _ if seconds < MINUTE => format!("{seconds}s"),
        _ if seconds < HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < DAY => format!("{}h", seconds / HOUR),
        _ if seconds < YEAR => format!("{}d", seconds / DAY),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_ago_the_coarser() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let check = |seconds: i64, long: &str, short: &str| {
            let since = Time(Timestamp::from_second(now.as_second() - seconds).unwrap());
            assert_eq!((age(Some(&since), now), short_age(Some(&since), now)), (long.into(), short.into()));
        };
        check(-5, "<invalid>", "<invalid>");
        check(-1, "0s", "0s");
        check(0, "0s", "0s");
        check(59, "59s", "59s");
        check(119, "119s", "1m");
        check(120, "2m", "2m");
        check(192, "3m12s", "3m");
        check(10 * MINUTE + 5, "10m", "10m");
        check(3 * HOUR, "3h", "3h");
        check(3 * HOUR + 61, "3h1m", "3h");
        check(9 * HOUR, "9h", "9h");
        check(2 * DAY, "2d", "2d");
        check(2 * DAY + 4 * HOUR, "2d4h", "2d");
        check(40 * DAY, "40d", "40d");
        check(3 * YEAR + 7 * DAY, "3y7d", "3y");
        check(9 * YEAR, "9y", "9y");
        assert_eq!((age(None, now), short_age(None, now)), ("<unknown>".into(), String::new()));
    }
}
