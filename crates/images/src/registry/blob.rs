//! One blob from a registry to a file.

use std::path::Path;

use reqwest::Method;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::Request;
use crate::manifest::Descriptor;
use crate::{Digest, Error, RegistryCause, Result};

impl Request<'_> {
    /// Writes the blob to `path`; its digest is checked on the way, and it may not be longer than said.
    pub(super) async fn download(&self, descriptor: &Descriptor, path: &Path) -> Result<()> {
        let mut file = File::create(path).await.map_err(Error::io("create", path))?;
        let what = format!("blobs/{}", descriptor.digest);
        let asked = self.client.ask(Method::GET, &what, &[]).await;
        let mut answer = asked.map_err(|cause| self.failed(cause))?;
        if !answer.status().is_success() {
            return Err(self.failed(self.client.failure(answer).await));
        }
        let mut left = descriptor.size;
        let mut hash = Sha256::new();
        while let Some(bytes) = self.client.next(&mut answer).await.map_err(|cause| self.failed(cause))? {
            left = left.checked_sub(bytes.len() as u64).ok_or_else(|| {
                let detail = format!("blob {} is longer than {}", descriptor.digest, descriptor.size);
                self.failed(RegistryCause::Invalid(detail))
            })?;
            hash.update(&bytes);
            file.write_all(&bytes).await.map_err(Error::io("write", path))?;
        }
        file.flush().await.map_err(Error::io("write", path))?;
        let found = Digest::from_hash(&hash.finalize());
        if found != descriptor.digest {
            let detail = format!("blob {} has digest {found}", descriptor.digest);
            return Err(self.failed(RegistryCause::Invalid(detail)));
        }
        Ok(())
    }
}
