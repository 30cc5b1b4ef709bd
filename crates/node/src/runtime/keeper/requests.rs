//! What a daemon says: how to work, and what to do.

use std::io;

use rustix::io::Errno;

use super::serve::{Keeper, Next};
use super::starts::Order;
use crate::runtime::protocol::{Configuration, Event, Request};
use crate::runtime::wire::Message;
use crate::runtime::{RuntimeError, StartFailure, Step};

/// How many sockets are kept: the platform has two.
const SOCKETS_MAX: usize = 16;

impl Keeper {
    pub(super) fn take_request(&mut self, mut message: Message<Request>) -> io::Result<Next> {
        let mut fds = std::mem::take(&mut message.fds);
        let attached = self.link.as_ref().is_some_and(|link| link.attached);
        if message.crippled
            && let Some(refusal) = refusal(&message.header)
        {
            self.send(&refusal, &[]);
            return Ok(Next::On);
        }
        match &message.header {
            Request::End => return Ok(Next::End),
            Request::Configure(configuration) => return Ok(self.configure(configuration)),
            // It makes no sense before.
            _ if !attached => return self.daemon_left(),
            Request::CreateSandbox { request, sandbox, hostname, addresses, next } => {
                self.create_sandbox(*request, sandbox, hostname, addresses);
                if let Some(isolated) = &mut self.all.isolated {
                    isolated.guess(next);
                }
            }
            Request::RemoveSandbox { sandbox } => {
                self.all.pods.remove(sandbox);
            }
            Request::StartContainer { request, note, root, resources, sent } => {
                let order = Order { note, root, resources, sent: *sent, body: message.body() };
                self.start_container(*request, &order, fds);
            }
            Request::StartProcess { request, note, sent } => {
                self.start_process(*request, note, *sent, message.body(), fds);
            }
            Request::Exec { request, slot, argv, terminal } => {
                self.exec(*request, *slot, argv, *terminal, &fds);
            }
            Request::EndExec { exec } => self.all.execs.kill(*exec),
            Request::Forget { slot } => {
                self.all.ended.remove(slot);
            }
            Request::Discard { slot } => self.discard(*slot),
            Request::KeepSocket { request, name } => {
                let full = self.sockets.len() >= SOCKETS_MAX && !self.sockets.contains_key(name);
                let problem = match fds.pop() {
                    Some(_) if full => Some(format!("{SOCKETS_MAX} sockets are kept already")),
                    Some(socket) => {
                        self.sockets.insert(name.clone(), socket);
                        None
                    }
                    None => Some("there was no socket".to_owned()),
                };
                self.send(&Event::Done { request: *request, problem }, &[]);
            }
            Request::DropSocket { request, name } => {
                self.sockets.remove(name);
                self.send(&Event::Done { request: *request, problem: None }, &[]);
            }
        }
        Ok(Next::On)
    }

    /// Takes a daemon's word for how to work, unless that has been settled otherwise, and tells it all there is.
    fn configure(&mut self, configuration: &Configuration) -> Next {
        let Some(link) = &mut self.link else { return Next::On };
        let overlay = match &self.configured {
            Some((known, overlay)) if known.isolation == configuration.isolation => *overlay,
            Some(_) => {
                link.send(&Event::Differs, &[]);
                return Next::On;
            }
            None => {
                let mut tell = |text| link.send(&Event::Warning { text }, &[]);
                match super::start(configuration, &mut tell) {
                    Ok((all, overlay)) => {
                        self.all = all;
                        overlay
                    }
                    Err(error) => {
                        // The daemon says itself of whatever this is that it cannot run containers.
                        let reason = match error {
                            RuntimeError::Unsupported(reason) => reason,
                            other => other.to_string(),
                        };
                        link.send(&Event::Refused { reason }, &[]);
                        return Next::End;
                    }
                }
            }
        };
        self.configured = Some((configuration.clone(), overlay));
        self.deadline = None;
        link.attached = true;
        link.send(&Event::Ready { overlay, pid: std::process::id() }, &[]);
        self.tell_all();
        for text in std::mem::take(&mut self.warnings) {
            self.warn(text);
        }
        Next::On
    }
}

/// What a request is answered with whose descriptors were lost: this process has as many open as it may.
fn refusal(request: &Request) -> Option<Event> {
    let none_left = Errno::MFILE;
    match request {
        Request::StartContainer { request, .. } | Request::StartProcess { request, .. } => {
            let failure = StartFailure::new(Step::Shell, "", none_left);
            Some(Event::StartFailed { request: *request, failure })
        }
        Request::Exec { request, .. } => {
            let failure = StartFailure::new(Step::Shell, "", none_left);
            Some(Event::ExecFailed { request: *request, failure })
        }
        Request::KeepSocket { request, .. } => {
            let problem = Some(io::Error::from(none_left).to_string());
            Some(Event::Done { request: *request, problem })
        }
        // None of these comes with any.
        Request::Configure(_)
        | Request::CreateSandbox { .. }
        | Request::RemoveSandbox { .. }
        | Request::EndExec { .. }
        | Request::Forget { .. }
        | Request::Discard { .. }
        | Request::DropSocket { .. }
        | Request::End => None,
    }
}
