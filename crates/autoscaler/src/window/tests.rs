use super::*;

fn secs(seconds: f64) -> Time {
    Duration::from_secs_f64(seconds)
}

#[test]
fn linear_averages() {
    // (what is recorded as (second, value), now, expected average), over 5 s
    type Case = (&'static [(f64, f64)], f64, f64);
    let cases: &[Case] = &[
        (&[], 0.0, 0.0),
        (&[(10.0, 3.0)], 10.0, 3.0),
        (&[(10.0, 3.0), (10.9, 3.0)], 10.0, 6.0),
        (&[(10.0, 2.0), (11.0, 4.0)], 11.0, 3.0),
        (&[(10.0, 2.0), (12.0, 4.0)], 12.0, 2.0),
        // A gap after the last write does not dilute, but old buckets fall out.
        (&[(10.0, 2.0), (11.0, 4.0)], 13.0, 3.0),
        (&[(10.0, 1.0), (11.0, 1.0), (12.0, 1.0), (13.0, 1.0), (14.0, 6.0)], 16.0, 8.0 / 3.0),
        (&[(10.0, 2.0), (11.0, 4.0)], 16.0, 0.0),
        // A full ring wraps.
        (&[(1.0, 9.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (5.0, 1.0), (6.0, 1.0)], 6.0, 1.0),
        // Late values count while they are within the window, and not after.
        (&[(10.0, 2.0), (8.0, 4.0)], 10.0, 2.0),
        (&[(10.0, 2.0), (5.0, 4.0)], 10.0, 2.0),
        // After a silence longer than the window, it begins anew.
        (&[(10.0, 2.0), (20.0, 4.0)], 20.0, 4.0),
    ];
    for (records, now, expect) in cases {
        let mut window = Window::new(secs(5.0), Aggregation::Linear);
        for &(at, value) in *records {
            window.record(secs(at), value);
        }
        assert!((window.average(secs(*now)) - expect).abs() < 1e-6, "{records:?} at {now}: {window:?}");
    }
}

#[test]
fn weighted_averages_follow_faster_and_settle_on_the_same() {
    let mut linear = Window::new(secs(60.0), Aggregation::Linear);
    let mut weighted = Window::new(secs(60.0), Aggregation::WeightedExponential);
    for second in 0..120 {
        let value = if second < 60 { 0.0 } else { 10.0 };
        linear.record(secs(second.into()), value);
        weighted.record(secs(second.into()), value);
        if second == 65 {
            assert!(weighted.average(secs(65.0)) > 5.0 * linear.average(secs(65.0)));
        }
    }
    assert_eq!(linear.average(secs(119.0)), 10.0);
    assert!((weighted.average(secs(119.0)) - 10.0).abs() < 0.01);
}

#[test]
fn empty_only_after_a_whole_window() {
    let mut window = Window::new(secs(5.0), Aggregation::Linear);
    assert!(window.is_empty(secs(0.0)));
    window.record(secs(1.0), 0.0);
    assert!(!window.is_empty(secs(5.9)));
    assert!(window.is_empty(secs(6.0)));
}
