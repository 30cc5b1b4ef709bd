//! Where the time of a start went, as the response tells it and `ebb service describe` shows it: some parts are in another.

/// The part that others are in.
const QUEUE: &str = "queue";
/// Those in it.
const IN_QUEUE: [&str; 3] = ["schedule", "sandbox", "start"];

/// The parts in a `Server-Timing` header.
pub(super) fn told(server_timing: &str) -> String {
    let parts: Vec<(&str, &str)> =
        server_timing.split(',').filter_map(|part| part.trim().split_once(";dur=")).collect();
    let inner: Vec<_> =
        parts.iter().filter(|(name, _)| IN_QUEUE.contains(name)).map(|part| one(*part)).collect();
    let outer = parts.iter().filter(|(name, _)| !IN_QUEUE.contains(name)).map(|part| match part.0 {
        QUEUE if !inner.is_empty() => format!("{} (in it {})", one(*part), inner.join(", ")),
        _ => one(*part),
    });
    outer.collect::<Vec<_>>().join(", ")
}

/// To a tenth of a millisecond, as the story's other times are.
fn one((name, took): (&str, &str)) -> String {
    match took.parse::<f64>() {
        Ok(ms) => format!("{name} {ms:.1} ms"),
        Err(_) => format!("{name} {took} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_queue_is_not_beside_it() {
        for (header, expect) in [
            (
                "queue;dur=12.000, schedule;dur=1.000, sandbox;dur=2.040, start;dur=8.960, connect;dur=0.085",
                "queue 12.0 ms (in it schedule 1.0 ms, sandbox 2.0 ms, start 9.0 ms), connect 0.1 ms",
            ),
            ("queue;dur=12.000, connect;dur=0.085", "queue 12.0 ms, connect 0.1 ms"),
        ] {
            assert_eq!(told(header), expect, "{header}");
        }
    }
}
