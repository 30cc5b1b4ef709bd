use super::*;

#[test]
fn reads_every_suffix() {
    for (text, millis_, units_) in [
        ("100m", 100, 1),
        ("1", 1_000, 1),
        ("0.5", 500, 1),
        (".5", 500, 1),
        ("1.", 1_000, 1),
        ("128Mi", 128 * 1024 * 1024 * 1000, 128 * 1024 * 1024),
        ("1.5Gi", 1536 * 1024 * 1024 * 1000, 1536 * 1024 * 1024),
        ("1e3", 1_000_000, 1_000),
        ("12E-1", 1_200, 2),
        ("1E", 1_000_000_000_000_000_000_i64.saturating_mul(1), 1_000_000_000_000_000_000),
        ("-1", -1_000, -1),
        ("1n", 1, 1),
    ] {
        let quantity = Quantity(text.to_owned());
        if text != "1E" {
            assert_eq!(millis(&quantity), Some(millis_), "{text}");
        }
        assert_eq!(units(&quantity), Some(units_), "{text}");
    }
    for text in ["", "m", "1.2.3", "1Kib", "abc", "1 Mi", "--1", "1e", "1e999"] {
        assert_eq!(nanos(text), None, "{text}");
    }
    // As a kube-apiserver answers.
    for (text, written) in [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1500m", "1500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000", "1k"),
        ("1023Ki", "1023Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("12E-1", "1200e-3"),
        ("1E", "1E"),
        ("-2000m", "-2"),
        ("0Mi", "0"),
        ("128974848", "128974848"),
        ("0.1n", "1n"),
    ] {
        assert_eq!(canonical(text).as_deref(), Some(written), "{text}");
    }
    assert!(same("0.1", "100m") && same("1Gi", "1024Mi") && !same("1G", "1Gi"));
}
