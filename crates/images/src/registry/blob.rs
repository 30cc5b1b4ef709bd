//! One blob from a registry to a file.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use tokio::fs::File;
use tokio::io::AsyncWrite;

use super::Request;
use super::cause::cause;
use crate::manifest::Descriptor;
use crate::{Error, RegistryCause, Result};

impl Request<'_> {
    /// Writes the blob to `path`; its digest is checked on the way, and it may not be longer than said.
    pub(super) async fn download(&self, descriptor: &Descriptor, path: &Path) -> Result<()> {
        let file = File::create(path).await.map_err(Error::io("create", path))?;
        let remote = OciDescriptor {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest.to_string(),
            size: i64::try_from(descriptor.size).unwrap_or(i64::MAX),
            ..OciDescriptor::default()
        };
        let out = Bounded { file, left: descriptor.size };
        self.client.store_auth_if_needed(self.remote.resolve_registry(), &self.auth).await;
        match self.client.pull_blob(&self.remote, &remote, out).await {
            Ok(()) => Ok(()),
            Err(OciDistributionError::IoError(e)) if e.kind() == io::ErrorKind::FileTooLarge => {
                let detail = format!("blob {} is longer than {}", descriptor.digest, descriptor.size);
                Err(self.failed(RegistryCause::Invalid(detail)))
            }
            Err(OciDistributionError::IoError(e)) => Err(Error::io("write", path)(e)),
            Err(e) => Err(self.failed(cause(&e, self.config.read_timeout))),
        }
    }
}

/// A file that takes so many bytes and no more.
struct Bounded {
    file: File,
    left: u64,
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if buf.len() as u64 > self.left {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let written = ready!(Pin::new(&mut self.file).poll_write(cx, buf))?;
        self.left -= written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.file).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.file).poll_shutdown(cx)
    }
}
