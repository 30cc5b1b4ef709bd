//! Durations as Go writes them: `300ms`, `1h30m`, `1.5s`. ConfigMaps and annotations use them.

mod human;

use std::time::Duration;

pub use self::human::human;

const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Nanoseconds of a Go duration, which may be negative; `None` when it is not one.
pub fn parse_nanos(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..end])?;
        nanos += number * unit;
        rest = &rest[end..];
    }
    let nanos = if negative { -nanos } else { nanos };
    (nanos.abs() < i64::MAX as f64).then_some(nanos.round() as i64)
}

/// A Go duration that is not negative.
pub fn parse(text: &str) -> Option<Duration> {
    u64::try_from(parse_nanos(text)?).ok().map(Duration::from_nanos)
}

/// Whether a duration is a whole number of seconds.
pub fn is_whole_seconds(nanos: i64) -> bool {
    nanos % 1_000_000_000 == 0
}

/// A duration as Go prints it: `1h0m0s`, `6s`, `1.5s`, `300ms`.
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000_000_000 {
        let (unit, per) = match nanos {
            0..1_000 => ("ns", 1.0),
            1_000..1_000_000 => ("µs", 1e3),
            _ => ("ms", 1e6),
        };
        return format!("{}{unit}", nanos as f64 / per);
    }
    let (hours, minutes) = (duration.as_secs() / 3600, duration.as_secs() / 60 % 60);
    let seconds = (duration.as_secs() % 60) as f64 + f64::from(duration.subsec_nanos()) / 1e9;
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_as_go_does() {
        for (text, nanos, printed) in [
            ("0", 0, "0s"),
            ("6s", 6_000_000_000, "6s"),
            ("1h", 3_600_000_000_000, "1h0m0s"),
            ("1h30m", 5_400_000_000_000, "1h30m0s"),
            ("1m1.5s", 61_500_000_000, "1m1.5s"),
            ("300ms", 300_000_000, "300ms"),
            ("1.5us", 1_500, "1.5µs"),
        ] {
            assert_eq!(parse_nanos(text), Some(nanos), "{text}");
            assert_eq!(format(parse(text).unwrap()), printed, "{text}");
        }
        assert_eq!(parse_nanos("-1s"), Some(-1_000_000_000));
        assert_eq!(parse("-1s"), None);
        for text in ["", "5", "s", "1 s", "1d", "1..5s", "-", "999999999h"] {
            assert_eq!(parse_nanos(text), None, "{text}");
        }
    }
}
