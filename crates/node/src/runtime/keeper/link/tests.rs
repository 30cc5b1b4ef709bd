use super::*;

/// A link, and the daemon's end of it.
fn link() -> (Link, OwnedFd) {
    let (ours, theirs) = wire::pair().unwrap();
    rustix::io::ioctl_fionbio(&ours, true).unwrap();
    // Little room, so that what waits soon waits in the outbox.
    rustix::net::sockopt::set_socket_send_buffer_size(&ours, 8 << 10).unwrap();
    (Link::new(ours), theirs)
}

fn numbered(number: usize) -> Event {
    Event::Warning { text: number.to_string() }
}

fn next(daemon: &OwnedFd) -> (Event, Vec<OwnedFd>) {
    let message = wire::receive(daemon.as_fd()).unwrap().expect("the link is there");
    (message.header, message.fds)
}

#[test]
fn a_daemon_that_does_not_read_is_told_all_later_and_in_order() {
    const EVENTS: usize = 1_000;
    let (mut link, daemon) = link();
    assert_eq!(link.interest(), EventFlags::IN);
    for number in 0..EVENTS {
        link.send(&numbered(number), &[daemon.as_fd()]);
    }
    assert!(!link.outbox.is_empty(), "nothing waited, so nothing is shown");
    assert!(link.interest().contains(EventFlags::OUT) && !link.in_shortage());
    for number in 0..EVENTS {
        link.flush();
        let (event, fds) = next(&daemon);
        let Event::Warning { text } = event else { panic!("{event:?}") };
        assert_eq!((text, fds.len()), (number.to_string(), 1));
    }
    assert_eq!(link.interest(), EventFlags::IN);
    assert!(link.given_up().is_none());
}

#[test]
fn a_daemon_for_which_too_much_waits_is_let_go_once_it_listens() {
    let (mut link, daemon) = link();
    for number in 0..OUTBOX_MAX {
        link.send(&numbered(number), &[]);
    }
    assert!(link.given_up().is_none());
    for number in OUTBOX_MAX..2 * OUTBOX_MAX {
        link.send(&numbered(number), &[]);
    }
    assert!(link.given_up().is_some() && link.outbox.is_empty());
    let writable = |link: &Link| {
        let mut fds = [PollFd::from_borrowed_fd(link.socket(), PollFlags::OUT)];
        poll(&mut fds, Some(&Timespec::default())).unwrap() > 0
    };
    assert!(link.interest().contains(EventFlags::OUT) && !writable(&link), "it still does not listen");
    while !writable(&link) {
        next(&daemon);
    }
    assert!(matches!(link.hear(), Heard::Left));
    link.let_go();
    while !matches!(next(&daemon).0, Event::LetGo) {}
    assert!(wire::receive::<Event>(daemon.as_fd()).unwrap().is_none());
}

#[test]
fn what_passes_is_tried_again() {
    let cases = [
        (Errno::AGAIN, Hindrance::Full),
        (Errno::NOBUFS, Hindrance::Shortage),
        (Errno::NOMEM, Hindrance::Shortage),
        (Errno::TOOMANYREFS, Hindrance::Shortage),
        (Errno::PIPE, Hindrance::Gone),
        (Errno::MSGSIZE, Hindrance::Broken),
    ];
    for (errno, expected) in cases {
        assert_eq!(hindrance(errno), expected, "{errno}");
    }
    let (mut link, _daemon) = link();
    (link.shortages, link.outbox) = (1, VecDeque::from([Letter { header: b"1".to_vec(), fds: Vec::new() }]));
    assert!(link.in_shortage() && link.interest() == EventFlags::IN);
    link.flush();
    assert!(!link.in_shortage());
}
