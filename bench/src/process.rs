//! A process that a measurement needs and nobody else.

use std::process::Child;

/// A process that is killed when this is dropped.
pub(crate) struct OwnProcess(pub(crate) Child);

impl Drop for OwnProcess {
    fn drop(&mut self) {
        // Only one that has ended already refuses, and that is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
