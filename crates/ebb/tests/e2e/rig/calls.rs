//! Somebody who calls all the time, while something else goes on.

use std::{
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
};

use super::Ebb;

/// To whom it is said what to call.
pub(crate) struct Calls(Sender<String>);

impl Calls {
    /// From now on this is called, too.
    pub(crate) fn begin(&self, url: &str) {
        // A caller who has ended has failed, which is told at the end.
        let _ = self.0.send(url.to_owned());
    }
}

impl Ebb {
    /// Does something while each URL that it names is called, again and again. None of the requests may fail.
    pub(crate) fn called(&self, story: impl FnOnce(&Calls)) {
        thread::scope(|scope| {
            let (begin, named) = channel();
            scope.spawn(|| call(self, named));
            story(&Calls(begin));
        });
    }
}

/// Calls what is named, in turn, until nothing more can be named.
fn call(ebb: &Ebb, named: Receiver<String>) {
    let mut urls: Vec<String> = Vec::new();
    loop {
        let next = if urls.is_empty() {
            named.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            named.try_recv()
        };
        match next {
            Ok(url) if urls.contains(&url) => {}
            Ok(url) => urls.push(url),
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) => {}
        }
        for url in &urls {
            let answer = ebb.call(url);
            assert_eq!(answer.status, 200, "{url}, called meanwhile: {}\n{}", answer.head, answer.body);
        }
    }
}
