//! The process that makes a further program, in all that its container is in.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::super::children::{Child, Children, Phase};
use super::super::slot;
use crate::runtime::protocol::Note;
use crate::runtime::shell::{Container, Exec};
use crate::runtime::sys::{self, ChildProcess};
use crate::runtime::{StartFailure, Step, wire};

impl Children {
    /// Makes one for the container of this number; returns it behind the socket to it and to what it makes.
    #[allow(unsafe_code)]
    pub(super) fn make_helper(
        &self,
        slot: u64,
        argv: &[String],
        stdio: Option<[BorrowedFd<'_>; 3]>,
    ) -> Result<(OwnedFd, ChildProcess), StartFailure> {
        let failure = |errno| StartFailure::new(Step::Shell, "", errno);
        let child = self.children.get(&slot).filter(|child| matches!(child.phase, Phase::Running { .. }));
        let child = child.ok_or(failure(Errno::SRCH))?;
        let order = child.order.as_ref().ok_or(failure(Errno::NOENT))?.as_fd();
        let name = slot::name(slot);
        let container = self.container_of(child, &name)?;
        let made = || -> io::Result<(OwnedFd, ChildProcess)> {
            let target = match &container {
                Some(container) => container.cgroups.clone_target(&name)?,
                None => None,
            };
            let (report, theirs) = wire::pair_with_child()?;
            let exec = Exec { argv, stdio, order, container, report: theirs };
            // SAFETY: the keeper has one thread, which it made sure of when it started.
            let helper = unsafe { sys::fork(0, target.as_ref().map(AsFd::as_fd), move || exec.run()) }?;
            Ok((report, helper))
        };
        made().map_err(|error| StartFailure::of(Step::Shell, "", &error))
    }

    /// What a program of a child has to join; nothing without isolation.
    fn container_of<'a>(
        &'a self,
        child: &'a Child,
        cgroup: &'a str,
    ) -> Result<Option<Container<'a>>, StartFailure> {
        let Some(isolated) = &self.isolated else { return Ok(None) };
        let pod = child.note().and_then(|note| self.pods.get(&note.sandbox));
        let sandbox = pod.and_then(|pod| pod.sandbox.as_ref());
        let sandbox = sandbox.ok_or(StartFailure::new(Step::Sandbox, "", Errno::NOENT))?;
        Ok(Some(Container {
            cgroups: isolated.slots.cgroups(),
            cgroup,
            init: child.process.pidfd.as_fd(),
            sandbox: sandbox.descriptors(),
            filter: isolated.slots.filter(),
        }))
    }
}

impl Child {
    /// What was noted of the container that it runs.
    fn note(&self) -> Option<&Note> {
        match &self.phase {
            Phase::Running { note, .. } => Some(note),
            _ => None,
        }
    }
}
