//! `ebb image load`: an archive goes to the API as it is read.

use std::{
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{Request, header};
use http_body_util::{BodyExt, Limited, StreamBody};
use tokio::{fs::File, io::AsyncReadExt};
use tower::ServiceExt;

use super::wire::{Loaded, PATH, query};
use crate::{api::Session, connection::UploadBody, console::Console, error::Error};

/// How much of the archive is in memory at once.
const CHUNK_BYTES: usize = 256 << 10;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What `load` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The archive; `-` for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name to load it under, for an archive with one image [default: the names in the archive]
    #[arg(long, value_name = "REFERENCE")]
    name: Option<String>,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let (file, length) = open(&args.file).await?;
    let path = match &args.name {
        Some(name) => format!("{PATH}?{}", query("name", name)),
        None => PATH.to_owned(),
    };
    let tried = || format!("POST {path}");
    let mut request = Request::post(&path).header(header::CONTENT_TYPE, "application/x-tar");
    if let Some(length) = length {
        request = request.header(header::CONTENT_LENGTH, length);
    }
    let request = request
        .body(body(file))
        .map_err(|error| Error::Answer { tried: tried(), reason: error.to_string() })?;
    let answer = session
        .uploader
        .clone()
        .oneshot(request)
        .await
        .map_err(|error| session.unreachable(error.as_ref()))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| session.unreachable(error.as_ref()))?.to_bytes();
    if !status.is_success() {
        return Err(refused(&args.file, session.refusal(status, &body)));
    }
    let loaded: Loaded = serde_json::from_slice(&body)
        .map_err(|error| Error::Answer { tried: tried(), reason: error.to_string() })?;
    for image in &loaded.images {
        writeln!(console.out, "Image '{}' loaded ({}).", image.reference, image.digest)?;
    }
    Ok(())
}

/// What is wrong with an archive, with its name: it may be one of many.
fn refused(file: &Path, error: Error) -> Error {
    match error {
        Error::Api(status) if status.code == 400 => {
            let file =
                if file == Path::new("-") { "the standard input".into() } else { file.display().to_string() };
            Error::Refused(format!("cannot load {file}: {}", status.message))
        }
        other => other,
    }
}

/// The archive, and its length where it has one.
async fn open(path: &Path) -> Result<(File, Option<u64>), Error> {
    let failed = |cause| Error::File { what: "read", path: path.to_owned(), cause };
    if path == Path::new("-") {
        // The descriptor itself: a buffered standard input could have swallowed a part.
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
        return Ok((File::from_std(input.into()), None));
    }
    let file = File::open(path).await.map_err(failed)?;
    let metadata = file.metadata().await.map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

fn body(file: File) -> UploadBody {
    let chunks = stream::try_unfold(file, |mut file| async move {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        let read = file.read_buf(&mut chunk).await?;
        let frame = http_body::Frame::data(Bytes::from(chunk));
        Ok::<_, io::Error>((read > 0).then_some((frame, file)))
    });
    StreamBody::new(chunks).boxed_unsync()
}
