//! The parts of a start from zero, as the gateway tells them in `Server-Timing`.

/// Names and milliseconds, in the header's order.
pub(crate) fn parse(header: &str) -> Vec<(String, f64)> {
    let metric = |metric: &str| {
        let (name, parameters) = metric.split_once(';')?;
        let duration = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("dur="))?;
        Some((name.trim().to_owned(), duration.parse().ok()?))
    };
    header.split(',').filter_map(metric).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn parts() {
        let cases: [(&str, &[(&str, f64)]); 4] = [
            ("queue;dur=12.000, connect;dur=0.085", &[("queue", 12.0), ("connect", 0.085)]),
            ("queue; desc=waiting; dur=1", &[("queue", 1.0)]),
            ("miss, queue;dur=x", &[]),
            ("", &[]),
        ];
        for (header, expect) in cases {
            let parts = parse(header);
            let parts: Vec<_> = parts.iter().map(|(name, took)| (name.as_str(), *took)).collect();
            assert_eq!(parts, expect, "{header:?}");
        }
    }
}
