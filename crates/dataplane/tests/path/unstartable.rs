//! Requests of a revision whose instances cannot start.

use http::StatusCode;
use tokio::time::timeout;

use crate::rig::{App, Gate, PATIENCE, Reply, Rig, eventually, limited, revision};

const WHY: &str = "ImagePullBackOff";

impl Rig {
    fn cannot_start(&self, why: Option<&'static str>) {
        assert!(self.handle.set_obstacle(&revision("hello-00001"), why));
    }
}

fn assert_says_why(reply: &Reply) {
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    let told = format!("revision hello-00001 cannot start: {WHY}\n");
    assert!(reply.body.starts_with(&told), "{reply:?}");
    assert!(reply.body.contains("`kubectl describe revision hello-00001 -n default` says more"), "{reply:?}");
}

#[tokio::test]
async fn who_waits_and_who_comes_is_told_why_until_there_is_an_instance() {
    let rig = Rig::serving(limited(0), &[]).await;
    let waiting = rig.enter("/").await;
    eventually("the autoscaler was told", || !rig.stats.all().is_empty()).await;
    rig.cannot_start(Some(WHY));
    assert_says_why(&waiting.await.unwrap());
    assert_says_why(&rig.get("/").await);
    let app = App::saying("awake").await;
    rig.instances(&[&app]);
    assert_eq!(rig.get("/").await.body, "awake", "it is there, whatever was told");
    rig.instances(&[]);
    assert_says_why(&rig.get("/").await);

    // It may start again: it is waited for as ever.
    rig.cannot_start(None);
    let waiting = rig.enter("/").await;
    rig.instances(&[&app]);
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn it_is_tried_again_by_those_who_are_refused() {
    let rig = Rig::serving(limited(0), &[]).await;
    rig.cannot_start(Some(WHY));
    let pokes = || rig.stats.all().iter().filter(|stat| **stat == (1.0, 1.0)).count();
    let mut client = rig.client().await;
    assert_says_why(&client.get("/").await);
    assert_eq!(pokes(), 1);
    // Each second one is told of, and not each of them.
    let mut asked = 0;
    let told_again = async {
        while pokes() < 2 {
            assert_says_why(&client.get("/").await);
            asked += 1;
        }
    };
    timeout(PATIENCE, told_again).await.expect("those who are refused are told of again");
    assert!(asked > 2, "{asked}");
}

#[tokio::test]
async fn who_waits_for_room_on_an_instance_goes_on_waiting() {
    let gate = Gate::closed();
    let app = App::gated(&gate).await;
    let rig = Rig::serving(limited(1), &[&app]).await;
    let requests = [rig.enter("/").await, rig.enter("/").await];
    eventually("one request is in flight", || app.at_once() == 1).await;
    rig.cannot_start(Some(WHY));
    gate.admit(2);
    for request in requests {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }
}
