use super::*;
use crate::runtime::protocol::Report;

/// More requests than a link has room for.
const REQUESTS: usize = 100;

/// A client, and the keeper's end of its link.
fn client() -> (Arc<Client>, OwnedFd) {
    let (ours, theirs) = wire::pair().unwrap();
    rustix::io::ioctl_fionbio(&ours, true).unwrap();
    let client = Arc::new(Client::new(ours, None, Duration::from_millis(50)).unwrap());
    tokio::spawn(Arc::clone(&client).listen());
    (client, theirs)
}

fn heard(keeper: &OwnedFd) -> Request {
    wire::receive(keeper.as_fd()).unwrap().expect("the link is there").header
}

#[tokio::test]
async fn how_they_came_apart_is_known() {
    for (last, parting) in [(Some(Event::LetGo), Parting::LetGo), (None, Parting::Ended)] {
        let (client, keeper) = client();
        if let Some(last) = last {
            wire::send(keeper.as_fd(), &last, &[], &[]).unwrap();
        }
        drop(keeper);
        assert_eq!(client.ended().await, parting);
        let end = client.end().await;
        assert_eq!(end.is_ok(), parting == Parting::Ended, "who was let go ends nobody");
    }
}

#[tokio::test]
async fn a_start_whose_descriptors_are_lost_fails_and_is_undone() {
    let (client, keeper) = client();
    let note =
        Note { container: "c".into(), sandbox: "s".into(), copy: None, ports: None, content: String::new() };
    let sent = Duration::ZERO;
    let request = move |request, note| Request::StartProcess { request, note, sent };
    let asking = Arc::clone(&client);
    let start =
        tokio::spawn(async move { asking.start_container(request, note, b"", &[], Vec::new()).await });
    tokio::task::spawn_blocking(move || {
        let Request::StartProcess { request, .. } = heard(&keeper) else { panic!("it asks for a start") };
        let started = Event::Started { request, slot: 7, pid: 1, report: Report::default() };
        wire::send(keeper.as_fd(), &started, &[], &[]).unwrap();
        assert!(matches!(heard(&keeper), Request::Discard { slot: 7 }));
    })
    .await
    .unwrap();
    let failure = start.await.unwrap().unwrap_err();
    assert!(
        matches!(&failure, RuntimeError::Start { failure, .. } if failure.errno == libc::EMFILE),
        "{failure}"
    );
}

/// A keeper that does not even read: the request itself does not get through.
#[tokio::test]
async fn a_keeper_that_does_not_read_is_given_up() {
    let (client, _keeper) = client();
    let request = || Request::RemoveSandbox { sandbox: "s".repeat(wire::MESSAGE_MAX / 2) };
    for _ in 0..REQUESTS {
        match client.send("removing", &request(), &[], &[]).await {
            Ok(()) => {}
            Err(RuntimeError::KeeperSilent { asked, waited, .. }) => {
                assert_eq!((asked.as_str(), waited), ("removing", Duration::from_millis(50)));
                return;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("a link has room for {REQUESTS} requests");
}
