use super::*;

fn told<'a>(uid: &'a str, message: &'a str) -> Told<'a> {
    Told { source: "kubelet", uid, type_: "Warning", reason: "Failed", message }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

#[test]
fn many_similar_ones_become_one() {
    let mut correlator = Correlator::default();
    let messages: Vec<String> = (0..=SIMILAR_MAX).map(|at| format!("attempt {at}")).collect();
    for message in &messages[..SIMILAR_MAX] {
        assert_eq!(correlator.observe(told("a", message), at(0)), Verdict::Own, "{message}");
    }
    assert_eq!(correlator.observe(told("a", &messages[0]), at(1)), Verdict::Own, "it is known");
    assert_eq!(correlator.observe(told("a", &messages[SIMILAR_MAX]), at(1)), Verdict::Combined);
    assert_eq!(correlator.observe(told("b", &messages[SIMILAR_MAX]), at(1)), Verdict::Own, "of another");
    let later = at(2 + WINDOW.as_secs());
    assert_eq!(correlator.observe(told("a", &messages[SIMILAR_MAX]), later), Verdict::Own, "long after");
}

#[test]
fn nobody_tells_of_one_object_without_end() {
    let mut correlator = Correlator::default();
    let mut ask = |uid: &str, seconds: i64| correlator.observe(told(uid, "no"), at(seconds));
    for _ in 0..OF_AN_OBJECT.burst_max {
        assert_eq!(ask("a", 0), Verdict::Own);
    }
    assert_eq!(ask("a", 0), Verdict::Dropped);
    assert_eq!(ask("b", 0), Verdict::Own);
    let refill = OF_AN_OBJECT.refill.as_secs();
    assert_eq!(ask("a", refill - 1), Verdict::Dropped);
    assert_eq!(ask("a", refill), Verdict::Own);
    assert_eq!(ask("a", refill), Verdict::Dropped);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut correlator = Correlator::default();
    for number in 0..3 * REMEMBERED_MAX {
        let uid = number.to_string();
        let now = at(i64::try_from(number).unwrap());
        assert_eq!(correlator.observe(told(&uid, "no"), now), Verdict::Own);
        assert!(correlator.objects.len() <= REMEMBERED_MAX && correlator.similar.len() <= REMEMBERED_MAX);
    }
    let last = (3 * REMEMBERED_MAX - 1).to_string();
    let now = at(i64::try_from(3 * REMEMBERED_MAX).unwrap());
    for _ in 1..OF_AN_OBJECT.burst_max {
        assert_eq!(correlator.observe(told(&last, "no"), now), Verdict::Own);
    }
    assert_eq!(correlator.observe(told(&last, "no"), now), Verdict::Dropped, "the newest are known");
}
