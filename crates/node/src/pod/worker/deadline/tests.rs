use serde_json::{Value, json};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn pod(own: u64, deletion: Option<u64>) -> Arc<Pod> {
    let mut value = json!({ "spec": { "containers": [], "terminationGracePeriodSeconds": own } });
    if let Some(seconds) = deletion {
        value["metadata"] =
            json!({ "deletionTimestamp": "2030-01-01T00:00:00Z", "deletionGracePeriodSeconds": seconds });
    }
    Arc::new(serde_json::from_value::<Pod>(Value::clone(&value)).unwrap())
}

#[tokio::test(start_paused = true)]
async fn containers_are_told_when_the_time_is_over_but_not_before_they_could_act() {
    let now = Instant::now();
    for (name, deadline, asked, expect) in [
        ("the deletion's own grace", Deadline::of(&pod(300, Some(5)), now), 0, 5),
        ("the pod's", Deadline::of(&pod(7, None), now), 0, 7),
        ("asked late", Deadline::of(&pod(7, None), now), 7, 9),
        ("a short grace", Deadline::of(&pod(1, None), now), 0, 2),
        ("by force", Deadline::of(&pod(30, Some(0)), now), 0, 0),
        ("gone", Deadline::gone(now), 0, 0),
        ("the node stops", Deadline::node_stops(&pod(300, None), now), 0, 10),
        ("the node stops, a short grace", Deadline::node_stops(&pod(4, None), now), 0, 4),
        ("the node stops, no grace", Deadline::node_stops(&pod(0, None), now), 0, 0),
    ] {
        assert_eq!(deadline.after(Some(now + asked * SECOND)), now + expect * SECOND, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_only_becomes_shorter() {
    type Act = fn(&mut Option<watch::Sender<Arc<Pod>>>, &CancellationToken);
    let cases: &[(&str, Act, u64)] = &[
        ("left alone", |_, _| {}, 30),
        ("another delete", |pods, _| drop(pods.as_ref().unwrap().send(pod(30, Some(5)))), 6),
        ("a longer delete", |pods, _| drop(pods.as_ref().unwrap().send(pod(30, Some(300)))), 30),
        ("by force", |pods, _| drop(pods.as_ref().unwrap().send(pod(30, Some(0)))), 1),
        ("gone", |pods, _| drop(pods.take()), 1),
        ("the node stops", |_, stop| stop.cancel(), 11),
    ];
    for (name, act, expect) in cases {
        let began = Instant::now();
        let (pods, updates) = watch::channel(pod(30, Some(30)));
        let mut pods = Some(pods);
        let stop = CancellationToken::new();
        let (sender, deadline) = watch::channel(Deadline::of(&updates.borrow(), began));
        let asked = over(deadline, Some(began));
        let acts = async {
            tokio::time::sleep(SECOND).await;
            act(&mut pods, &stop);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = asked => {}
            _ = follow(updates, stop.clone(), sender) => {}
            () = acts => {}
        }
        let took = (Instant::now() - began).as_secs_f64().round();
        assert_eq!(took, *expect as f64, "{name}");
    }
}
