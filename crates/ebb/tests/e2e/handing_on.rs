//! What becomes of the requests in hand when one `ebb up` gives way to the next.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use crate::rig::{Ebb, Held, ask, need_kubectl, service, service_soon_idle_with, until};

/// Whoever connects while one daemon gives way to the next waits for that one, and not for those who were there before,
/// who are answered as well.
#[test]
fn a_long_request_does_not_hold_up_the_next_one() {
    const NAME: &str = "a_long_request_does_not_hold_up_the_next_one";
    if !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hello"));
    let url = ebb.ready("hello");
    let long = Held::begin(ebb.http, url.strip_prefix("http://").unwrap());
    let busy = until(|| ebb.call(&format!("{url}/concurrency")).body.contains('2').then_some(()));
    assert!(busy.is_some(), "it is in hand");
    let mut earlier = ebb.hand_over_to_next();
    assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
    assert_eq!(ebb.call(&url).status, 200, "who comes now is answered");
    assert!(earlier.try_wait().unwrap().is_none(), "the long one is still in hand");
    long.finish().expect("it is answered by the earlier one");
    assert!(earlier.wait().unwrap().success(), "it ends well");
}

/// A supervisor that starts the next one only when this one has ended is not kept waiting beyond the keeper's grace.
#[test]
fn without_a_next_one_a_long_request_is_cut() {
    const NAME: &str = "without_a_next_one_a_long_request_is_cut";
    if !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.apply(&service("hello"));
    let url = ebb.ready("hello");
    let host = url.strip_prefix("http://").unwrap();
    let mut long = TcpStream::connect(ebb.http).unwrap();
    write!(long, "GET /stream?n=2&ms=50000 HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = vec![0; 9];
    long.read_exact(&mut answer).unwrap();
    assert_eq!(answer, b"HTTP/1.1 ", "it is in hand");
    assert!(ebb.hand_over(), "it ends well");
    // However it was cut.
    let _ = long.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("chunk 0") && !answer.contains("chunk 1"), "{answer}");
    ebb.restart();
    assert!(ebb.said().contains("took over 1 running container"), "{}", ebb.said());
}

/// A request that no instance has yet is the next daemon's: it starts the instance.
#[test]
fn a_request_that_waits_for_an_instance_is_handed_on() {
    const NAME: &str = "a_request_that_waits_for_an_instance_is_handed_on";
    const PODS: &str = "serving.knative.dev/service=hello";
    if !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("process");
    // Without it no instance listens.
    let gate = ebb.dir().with_file_name("gate");
    fs::write(&gate, "").unwrap();
    let waits = format!(r#", args: ["wait={}"]"#, gate.display());
    ebb.apply(&service_soon_idle_with("hello", "", "", &waits));
    let url = ebb.ready("hello");
    ebb.at_zero(PODS);
    fs::remove_file(&gate).unwrap();
    let waiting = ask(ebb.http, url.strip_prefix("http://").unwrap()).unwrap();
    let woken = until(|| (!ebb.objects("pods", PODS).is_empty()).then_some(()));
    assert!(woken.is_some(), "it has arrived");
    let mut earlier = ebb.hand_over_to_next();
    fs::write(&gate, "").unwrap();
    waiting.answer().expect("it is answered by way of the next one");
    assert!(earlier.wait().unwrap().success(), "it ends well");
}
