//! What is kept, told to a daemon that has come: a message for each thing.

use std::os::fd::{AsFd, BorrowedFd};

use super::children::{Child, Phase};
use super::link::Link;
use super::serve::{Keeper, tell};
use crate::runtime::Exit;
use crate::runtime::protocol::Event;

impl Keeper {
    pub(super) fn tell_all(&mut self) {
        let Self { all, link, sockets, .. } = self;
        for (name, pod) in &all.pods {
            let event = Event::Sandbox { sandbox: name.clone(), addresses: pod.addresses.clone() };
            let network = pod.sandbox.as_ref().map(|sandbox| sandbox.network.as_fd());
            tell(link, &event, network.as_slice());
        }
        let running = all.children.iter().map(|(number, child)| (*number, child, None));
        let ended = all.ended.iter().map(|(number, ended)| (*number, &ended.child, Some(ended.exit)));
        for (number, child, exit) in running.chain(ended) {
            tell_container(link, number, child, exit);
        }
        for (name, socket) in sockets {
            tell(link, &Event::Socket { name: name.clone() }, &[socket.as_fd()]);
        }
        tell(link, &Event::Listed, &[]);
    }
}

fn tell_container(link: &mut Option<Link>, slot: u64, child: &Child, exit: Option<Exit>) {
    let (Phase::Running { note, report, pid }, Some(app)) = (&child.phase, child.app()) else { return };
    let mut fds: Vec<BorrowedFd<'_>> = vec![app, child.process.pidfd.as_fd()];
    fds.extend(child.message.iter().chain(&child.output).map(AsFd::as_fd));
    let (note, report, has_message) = (note.clone(), report.clone(), child.message.is_some());
    let event = Event::Container { slot, pid: *pid, note, report, exit, has_message };
    tell(link, &event, &fds);
}
