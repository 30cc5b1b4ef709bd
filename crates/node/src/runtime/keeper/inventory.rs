//! What is kept, told to a daemon that has come: a message for each thing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::children::{Child, Phase};
use super::serve::Keeper;
use crate::runtime::Exit;
use crate::runtime::protocol::{Event, Note, Report};

impl Keeper {
    pub(super) fn tell_all(&self) -> io::Result<()> {
        for (name, pod) in &self.all.pods {
            let event = Event::Sandbox { sandbox: name.clone(), addresses: pod.addresses.clone() };
            let network = pod.sandbox.as_ref().map(|sandbox| sandbox.network.as_fd());
            self.send(&event, network.as_slice())?;
        }
        for (number, child) in &self.all.children {
            if let Phase::Running { note, report, pid } = &child.phase {
                self.tell_container(*number, child, (note, report, *pid), None)?;
            }
        }
        for (number, ended) in &self.all.ended {
            if let Phase::Running { note, report, pid } = &ended.child.phase {
                self.tell_container(*number, &ended.child, (note, report, *pid), Some(ended.exit))?;
            }
        }
        for (name, socket) in &self.sockets {
            self.send(&Event::Socket { name: name.clone() }, &[socket.as_fd()])?;
        }
        self.send(&Event::Listed, &[])
    }

    fn tell_container(
        &self,
        slot: u64,
        child: &Child,
        (note, report, pid): (&Note, &Report, i32),
        exit: Option<Exit>,
    ) -> io::Result<()> {
        let Some(app) = &child.app else { return Ok(()) };
        let mut fds: Vec<BorrowedFd<'_>> = vec![app.as_fd(), child.process.pidfd.as_fd()];
        fds.extend(child.output.iter().map(AsFd::as_fd));
        let event = Event::Container { slot, pid, note: note.clone(), report: report.clone(), exit };
        self.send(&event, &fds)
    }
}
