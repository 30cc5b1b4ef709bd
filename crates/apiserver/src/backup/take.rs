//! Writing a backup: read and sent a page at a time, while everything goes on.

use std::{cmp::Reverse, io, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use objects::Error;
use sha2::{Digest, Sha256};

use super::{End, FORM, Line};
use crate::{
    hex::hex,
    mount::Body,
    rest::reply,
    secrets::is_secret,
    server::Shared,
    store::{Follower, Key, Start, Stored},
};

/// Where a backup is had.
pub(crate) const PATH: &str = "/ebb/backup";

/// How many objects are read at a time.
const PAGE: usize = 256;

/// A backup of the present state, with or without the key of what is sealed in it. A body that breaks off has no last line.
pub(crate) fn take(shared: &Arc<Shared>, with_key: bool) -> Response<Body> {
    let taking = Taking::new(Arc::clone(shared), with_key);
    let frames = stream::try_unfold(taking, |mut taking| async move {
        let piece = taking.next().await.map_err(|error| {
            tracing::warn!(%error, "a backup broke off");
            io::Error::other(error.to_string())
        })?;
        Ok::<_, io::Error>(piece.map(|piece| (Frame::data(piece), taking)))
    });
    reply::respond(StatusCode::OK, "application/x-ndjson", StreamBody::new(frames).boxed_unsync())
}

/// A backup that is being written.
struct Taking {
    shared: Arc<Shared>,
    /// The moment it shows.
    version: u64,
    /// The kinds that are not through yet.
    left: Vec<Left>,
    with_key: bool,
    begun: bool,
    ended: bool,
    objects: u64,
    sha256: Sha256,
}

/// A kind that is not through yet.
struct Left {
    /// It is behind by all that was written since, so the store keeps that, as long as it can.
    follower: Follower,
    /// Where the next page begins.
    from: Start,
}

impl Taking {
    fn new(shared: Arc<Shared>, with_key: bool) -> Self {
        let (version, followers) = shared.registry.store.follow_all();
        let left = followers.into_iter().map(|follower| Left { follower, from: Start::Version(version) });
        let left = left.collect();
        let (begun, ended, objects, sha256) = (false, false, 0, Sha256::new());
        Self { shared, version, left, with_key, begun, ended, objects, sha256 }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.begun {
            self.begun = true;
            return self.begin().map(Some);
        }
        // First the kind whose changes will be too many to be kept the soonest.
        let written = |(at, left): &(usize, &Left)| (left.follower.behind(), Reverse(*at));
        while let Some((at, _)) = self.left.iter().enumerate().max_by_key(written) {
            let Left { follower, from } = &mut self.left[at];
            let page = follower.page(std::mem::replace(from, Start::Now), PAGE).await?;
            match page.next {
                Some(place) => *from = Start::Place(place),
                None => _ = self.left.remove(at),
            }
            if !page.items.is_empty() {
                return self.objects(&page.items).map(Some);
            }
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        let sha256 = hex(&self.sha256.finalize_reset());
        self.lines([Line::End { end: End { objects: self.objects, sha256 } }]).map(Some)
    }

    fn begin(&mut self) -> Result<Bytes, Error> {
        let taken = self.shared.registry.environment.timestamp().to_string();
        let ebb = env!("CARGO_PKG_VERSION").to_owned();
        let head = Line::Head { backup: FORM, version: self.version, ebb, taken };
        let files = self.shared.authority.files();
        let files =
            files.map_err(|error| Error::Internal(format!("reading the authority's files: {error}")))?;
        let key = self.shared.secrets.as_ref().filter(|_| self.with_key);
        let mut lines = vec![head];
        lines.extend(key.map(|key| Line::Key { secrets_key: key.text() }));
        for (file, text) in files {
            // Certificates are for everybody to see.
            let sealed = if file.ends_with(".key") { self.sealed(file, text.as_bytes())? } else { None };
            let file = file.to_owned();
            lines.push(match sealed {
                Some(sealed) => Line::SealedFile { file, sealed },
                None => Line::File { file, text },
            });
        }
        self.lines(lines)
    }

    /// What is not to be read by who has the backup alone, if there is a key.
    fn sealed(&self, name: &str, text: &[u8]) -> Result<Option<String>, Error> {
        let Some(secrets) = &self.shared.secrets else { return Ok(None) };
        let sealed = secrets.current().seal(name, self.version, text);
        Ok(Some(BASE64.encode(sealed.map_err(|error| Error::Internal(error.to_string()))?)))
    }

    fn objects(&mut self, items: &[Arc<Stored>]) -> Result<Bytes, Error> {
        self.objects += items.len() as u64;
        let line = |stored: &Arc<Stored>| {
            let object = stored.object()?;
            let key = Key::of(stored.kind, &resources::ObjectKey::of(object.metadata())).text().to_string();
            let sealed = if is_secret(&key) { self.sealed(&key, &stored.json())? } else { None };
            if let Some(sealed) = sealed {
                return Ok(Line::Sealed { key, sealed });
            }
            let object = serde_json::from_slice(&stored.json()).map_err(unreadable)?;
            Ok(Line::Object { key, object })
        };
        let lines: Vec<Line> = items.iter().map(line).collect::<Result<_, Error>>()?;
        self.lines(lines)
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = Line>) -> Result<Bytes, Error> {
        let mut bytes = BytesMut::new();
        for line in lines {
            bytes.extend_from_slice(&serde_json::to_vec(&line).map_err(unreadable)?);
            bytes.extend_from_slice(b"\n");
        }
        self.sha256.update(&bytes);
        Ok(bytes.freeze())
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::Internal(format!("a stored object cannot be written: {error}"))
}

#[cfg(test)]
mod tests;
