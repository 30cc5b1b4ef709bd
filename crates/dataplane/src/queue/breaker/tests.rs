use std::net::Ipv4Addr;

use super::*;

fn instance(name: &str) -> Instance {
    let pod = resources::ObjectKey::new("default", name);
    Instance { pod, uid: name.into(), address: Ipv4Addr::LOCALHOST.into(), port: 8080 }
}

fn breaker(limit: u32, names: &[&str]) -> Breaker<&'static str> {
    let mut breaker = Breaker::new(limit);
    breaker.set_instances(names.iter().map(|name| instance(name)).collect(), 1);
    breaker
}

fn dice() -> Dice {
    Dice::seeded(1)
}

fn admit(breaker: &mut Breaker<&'static str>, ticket: Ticket) -> Option<Arc<Member>> {
    match breaker.admit(ticket, "waiter", None, 2, &dice()) {
        Admission::Go(member) => Some(member),
        Admission::Wait | Admission::Full(_) => None,
    }
}

#[test]
fn which_instance_is_taken() {
    // (limit, the instances of five requests; "-" waits)
    let cases = [
        (1, ["a", "b", "c", "-", "-"]),
        (2, ["a", "a", "b", "b", "c"]),
        (3, ["a", "a", "a", "b", "b"]),
        (4, ["a", "b", "c", "a", "b"]),
    ];
    for (limit, expect) in cases {
        let mut breaker = breaker(limit, &["a", "b", "c"]);
        let got: Vec<_> = (0..5)
            .map(|ticket| {
                admit(&mut breaker, ticket).map_or("-".into(), |member| member.instance().uid.clone())
            })
            .collect();
        assert_eq!(got, expect, "limit {limit}");
    }
}

#[test]
fn the_queue_is_bounded_and_in_order() {
    let mut breaker = breaker(1, &["a"]);
    let held = admit(&mut breaker, 0).expect("a slot");
    assert!(matches!(breaker.admit(1, "one", None, 2, &dice()), Admission::Wait));
    assert!(matches!(breaker.admit(2, "two", None, 2, &dice()), Admission::Wait));
    assert!(matches!(breaker.admit(3, "three", None, 2, &dice()), Admission::Full("three")));
    let (waiter, held) = breaker.release(&held, &dice()).expect("a turn");
    assert_eq!((waiter, breaker.waiting()), ("one", 1));
    assert_eq!(breaker.forget(2), Some("two"));
    assert!(breaker.release(&held, &dice()).is_none());
    assert!(breaker.is_idle());
}

#[test]
fn another_attempt_keeps_its_place_and_avoids_the_failed_instance() {
    let mut breaker = breaker(1, &["a", "b"]);
    let failed = admit(&mut breaker, 0).expect("a slot");
    let other = admit(&mut breaker, 1).expect("a slot");
    assert!(matches!(breaker.admit(2, "later", None, 2, &dice()), Admission::Wait));
    // Nobody is avoided at the price of waiting for nothing.
    breaker.forget(2);
    breaker.release(&failed, &dice());
    match breaker.admit(0, "again", Some(&failed), 2, &dice()) {
        Admission::Go(member) => assert!(Arc::ptr_eq(&member, &failed)),
        refused => panic!("{refused:?}"),
    }
    breaker.release(&failed, &dice());
    breaker.release(&other, &dice());
    match breaker.admit(0, "again", Some(&failed), 2, &dice()) {
        Admission::Go(member) => assert!(Arc::ptr_eq(&member, &other)),
        refused => panic!("{refused:?}"),
    }
}

#[test]
fn instances_come_and_go() {
    let mut breaker = breaker(1, &["a"]);
    let held = admit(&mut breaker, 0).expect("a slot");
    assert!(matches!(breaker.admit(1, "one", None, 2, &dice()), Admission::Wait));
    breaker.set_instances(vec![], 1);
    assert!(!breaker.has_instances() && !breaker.is_idle());
    breaker.set_instances(vec![instance("a")], 1);
    assert!(breaker.next_turn(&dice()).is_none(), "it is still busy");
    breaker.set_instances(vec![instance("a"), instance("b")], 1);
    let (waiter, member) = breaker.next_turn(&dice()).expect("a turn");
    assert_eq!((waiter, &*member.instance().uid), ("one", "b"));
    breaker.release(&member, &dice());
    breaker.release(&held, &dice());
    assert!(breaker.is_idle());
}
