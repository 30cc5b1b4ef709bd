//! A body as lines: the form of a watch.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::client::Body;

use super::{connection::chain, failure::Refusal};

/// The lines of a body, as they come.
pub(super) struct Lines {
    body: Body,
    buffer: BytesMut,
    /// So much of the buffer holds no line's end.
    searched: usize,
    max: usize,
}

impl Lines {
    pub(super) fn new(body: Body, max: usize) -> Self {
        Self { body, buffer: BytesMut::new(), searched: 0, max }
    }

    /// The next line; `None` when the body has ended. What was cut off in the middle of a line is dropped. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            if let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + end + 1).freeze();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > self.max {
                return Err(Refusal::NoAnswer(format!(
                    "a line is longer than line_bytes_max ({})",
                    self.max
                )));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref() {
                        self.buffer.extend_from_slice(bytes);
                    }
                }
                Some(Err(error)) => return Err(Refusal::NoAnswer(chain(&error))),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_told_whole_and_within_the_limit() {
        let mut lines = Lines::new(Body::from(b"one\ntwo\n\nthr".to_vec()), 8);
        let mut told = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            told.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(told, ["one\n", "two\n", "\n"], "a half line is no line");

        let refused = Lines::new(Body::from(b"far too long".to_vec()), 8).next().await.unwrap_err();
        assert!(format!("{refused:?}").contains("line_bytes_max (8)"), "{refused:?}");
    }
}
