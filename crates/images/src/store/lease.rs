//! Content in use: it stays as long as somebody holds it, whatever its names do.

use std::sync::Arc;

use super::{Image, Lease, State, Store};
use crate::{Digest, Error, Reference, Result};

impl Store {
    /// As `get`; the image's files stay as long as the lease, even when it is removed meanwhile.
    pub fn lease(&self, reference: &Reference) -> Result<Lease> {
        let mut state = self.0.state.write();
        let image = state.find(reference).cloned().ok_or_else(|| Error::NotInStore(reference.to_string()))?;
        Ok(self.pinned(&mut state, image))
    }

    /// As [`Store::lease`], of content that may have lost its last name while it was in use. Blocks.
    pub fn lease_content(&self, digest: &Digest) -> Result<Lease> {
        let _turn = self.0.writing.lock();
        let image = self.read_image(digest)?;
        Ok(self.pinned(&mut self.0.state.write(), image))
    }

    /// Whether this content is in use.
    pub fn is_leased(&self, digest: &Digest) -> bool {
        self.0.state.read().pins.contains_key(digest)
    }

    fn pinned(&self, state: &mut State, image: Arc<Image>) -> Lease {
        for digest in image.content() {
            *state.pins.entry(digest.clone()).or_default() += 1;
        }
        Lease::new(self.clone(), image)
    }

    /// Leases the image when it is there, now or later: the answer to "Ready after it appears".
    pub async fn wait_for(&self, reference: &Reference) -> Lease {
        let mut changes = self.changes();
        loop {
            if let Ok(lease) = self.lease(reference) {
                return lease;
            }
            // The sender lives in `self`, so this cannot fail; if it did, there is nothing to wait for.
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    pub(super) fn unpin<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) {
        let mut state = self.0.state.write();
        for digest in digests {
            if let Some(count) = state.pins.get_mut(digest) {
                *count -= 1;
                if *count == 0 {
                    state.pins.remove(digest);
                }
            }
        }
    }
}
