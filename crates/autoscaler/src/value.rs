//! How one setting's text becomes a value. Every function answers an error with what was expected, for a person.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A number within `range`.
pub(crate) fn float(text: &str, range: RangeInclusive<f64>) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(format!("expected a number {}", bounds(&range, f64::MAX))),
    }
}

/// An integer within `range`.
pub(crate) fn int(text: &str, range: RangeInclusive<i32>) -> Result<i32, String> {
    match text.trim().parse::<i32>() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(format!("expected an integer {}", bounds(&range, i32::MAX))),
    }
}

/// A boolean in the spellings that Go's `strconv.ParseBool` takes, which is what upstream's ConfigMaps mean.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("expected true or false".into()),
    }
}

/// A Go duration ("1m30s", "1.5h", "300ms", "0") within `range`.
pub(crate) fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let value = go_duration(text.trim()).ok_or("expected a duration such as 30s or 1m30s")?;
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!("expected a duration from {:?} to {:?}", range.start(), range.end()))
}

/// As [`duration`], and refused unless it is a whole number of seconds (the windows' granularity).
pub(crate) fn seconds(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let value = duration(text, range)?;
    if value.subsec_nanos() == 0 { Ok(value) } else { Err("expected whole seconds".into()) }
}

fn bounds<T: Display + PartialEq>(range: &RangeInclusive<T>, unlimited: T) -> String {
    if *range.end() == unlimited {
        format!("of at least {}", range.start())
    } else {
        format!("from {} to {}", range.start(), range.end())
    }
}

fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let scale = match &rest[..unit] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(amount * scale).ok()?)?;
        rest = &rest[unit..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations() {
        let cases = [
            ("0", Some(0)),
            ("30s", Some(30_000)),
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            ("300ms", Some(300)),
            ("", None),
            ("30", None),
            ("s", None),
            ("-5s", None),
            ("5 s", None),
            ("1d", None),
        ];
        for (text, millis) in cases {
            assert_eq!(go_duration(text), millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn numbers_tell_their_range() {
        assert_eq!(int("-1", 0..=i32::MAX), Err("expected an integer of at least 0".into()));
        assert_eq!(float("0", 1.0..=100.0), Err("expected a number from 1 to 100".into()));
        assert_eq!(float("inf", 1.0..=f64::MAX), Err("expected a number of at least 1".into()));
        assert_eq!(seconds("1500ms", Duration::ZERO..=Duration::MAX), Err("expected whole seconds".into()));
    }
}
