//! Times and durations (upstream: cel-go, `common/types/{timestamp,duration}.go`).

use jiff::{SignedDuration, Timestamp, Zoned, civil, tz::TimeZone};

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::Value,
};

/// A duration as Go writes it, `1h30m`.
pub(crate) fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        nanos = nanos.checked_add(whole.checked_mul(unit)?)?;
        let mut scale = unit;
        for digit in part.chars() {
            scale /= 10;
            nanos += i128::from(digit.to_digit(10)?) * scale;
        }
        rest = after;
    }
    let nanos = i64::try_from(if negative { -nanos } else { nanos }).ok()?;
    Some(SignedDuration::from_nanos(nanos))
}

/// A time of RFC 3339, within the years 1 to 9999.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let separated = text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    let time: Timestamp = text.parse().ok().filter(|_| separated && !text.contains('['))?;
    in_range(time)
}

fn in_range(time: Timestamp) -> Option<Timestamp> {
    /// The first second of the year 1, and the last of 9999.
    const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    SECONDS.contains(&time.as_second()).then_some(time)
}

/// The first moment of a day.
pub(crate) fn date_only(text: &str) -> Option<Timestamp> {
    let date: civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
}

/// A time from the seconds since 1970.
pub(super) fn of_seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok().and_then(in_range)
}

fn zone(name: &str) -> Result<TimeZone, Failure> {
    let wrong = || Failure::error(format!("unknown time zone {name}"));
    let Some((hours, minutes)) = name.split_once(':') else {
        return if name.is_empty() { Ok(TimeZone::UTC) } else { TimeZone::get(name).map_err(|_| wrong()) };
    };
    let negative = hours.starts_with('-');
    let hours: i32 = hours.parse().map_err(|_| wrong())?;
    let minutes: i32 = minutes.parse().map_err(|_| wrong())?;
    let minutes = if negative { -minutes } else { minutes };
    let offset =
        jiff::tz::Offset::from_seconds(hours.saturating_mul(3600).saturating_add(minutes.saturating_mul(60)));
    offset.map(TimeZone::fixed).map_err(|_| wrong())
}

fn part(args: &[Value<'_>], of_time: impl Fn(&Zoned) -> i64) -> Answer<'static> {
    let (time, zone) = match args {
        [Value::Timestamp(time)] => (time, TimeZone::UTC),
        [Value::Timestamp(time), Value::String(name)] => (time, zone(name)?),
        _ => return Err(Failure::no_overload()),
    };
    Ok(Value::Int(of_time(&time.to_zoned(zone))))
}

fn either(
    args: &[Value<'_>],
    of_time: impl Fn(&Zoned) -> i64,
    of_duration: impl Fn(i128) -> i128,
) -> Answer<'static> {
    match args {
        [Value::Duration(duration)] => {
            Ok(Value::Int(i64::try_from(of_duration(duration.as_nanos())).unwrap_or(i64::MAX)))
        }
        args => part(args, of_time),
    }
}

pub(crate) fn year<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    part(args, |time| time.year().into())
}

/// From 0.
pub(crate) fn month<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    part(args, |time| i64::from(time.month()) - 1)
}

/// From 0.
pub(crate) fn day_of_year<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    part(args, |time| i64::from(time.day_of_year()) - 1)
}

/// From 0.
pub(crate) fn day_of_month<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    part(args, |time| i64::from(time.day()) - 1)
}

/// From 1.
pub(crate) fn date<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    part(args, |time| time.day().into())
}

/// From 0, which is Sunday.
pub(crate) fn day_of_week<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    part(args, |time| time.weekday().to_sunday_zero_offset().into())
}

pub(crate) fn hours<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    either(args, |time| time.hour().into(), |nanos| nanos / 3_600_000_000_000)
}

pub(crate) fn minutes<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    either(args, |time| time.minute().into(), |nanos| nanos / 60_000_000_000)
}

pub(crate) fn seconds<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    either(args, |time| time.second().into(), |nanos| nanos / 1_000_000_000)
}

/// Of a time the part of its second, of a duration all of it.
pub(crate) fn milliseconds<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    either(args, |time| i64::from(time.subsec_nanosecond()) / 1_000_000, |nanos| nanos / 1_000_000)
}
