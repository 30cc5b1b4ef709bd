//! `ebb backup`: the whole state of a running Ebb, as it is at one moment, in one file.

mod replaced;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use serde::Deserialize;
use tower::ServiceExt;

use self::replaced::Older;
use crate::{api::Session, connection::AnswerBody, console::Console, error::Error, new_file::beside};

/// Where the API has it, and with the key that opens what is encrypted in it.
const PATH: &str = "/ebb/backup";
const PATH_WITH_KEY: &str = "/ebb/backup?withKey=true";
/// The longest answer of an API that refuses.
const REFUSAL_BYTES_MAX: usize = 1 << 20;
/// How long the last line is at most, which says that all is there.
const END_BYTES_MAX: usize = 256;

/// What `backup` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write; a backup that is there is replaced, anything else is left alone; `-` for the standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Put in the key that opens the backup: who has the file then has everything
    #[arg(long)]
    with_key: bool,
}

/// The last line of a backup.
#[derive(Deserialize)]
struct Last {
    end: End,
}

#[derive(Deserialize)]
struct End {
    objects: u64,
}

pub(crate) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    if args.file == Path::new("-") {
        let written = receive(session, args, &mut *console.out).await;
        // Not as with other commands: who reads a backup wants all of it.
        return written.map(drop).map_err(|error| match error {
            Error::Output(source) => broken(&format!("writing it to the standard output failed: {source}")),
            other => other,
        });
    }
    let older = replaced::check(&args.file, args.with_key)?;
    let failed = |cause| Error::File { what: "write", path: args.file.clone(), cause };
    // For its owner alone, since it holds keys and Secrets; and in place only when all of it is there.
    let mut file = beside(&args.file).map_err(failed)?;
    let objects = receive(session, args, file.as_file_mut()).await.map_err(|error| match error {
        Error::Output(source) => failed(source),
        other => other,
    })?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&args.file).map_err(|error| failed(error.error))?;
    writeln!(console.out, "Backup of {objects} objects written to {}.", args.file.display())?;
    match older {
        Some(Older { taken: Some(taken) }) => {
            writeln!(console.out, "It takes the place of the one of {taken:.0}.")?;
        }
        Some(Older { taken: None }) => writeln!(console.out, "It takes the place of an older one.")?,
        None => {}
    }
    if args.with_key {
        writeln!(
            console.out,
            "It holds keys and Secrets, and what opens them: keep it safe. Images are not in it."
        )?;
    } else {
        writeln!(
            console.out,
            "Keys and Secrets in it are encrypted, and nothing restores it without the key, which is not in it:\nkeep a copy of api/secrets.key of the data directory (or of what `ebb up --secrets-key` names) elsewhere, or use\n--with-key. Images are not in it."
        )?;
    }
    Ok(())
}

/// Copies the backup; returns how many objects it has.
async fn receive(session: &Session, args: &Args, to: &mut dyn Write) -> Result<u64, Error> {
    let request = Request::get(if args.with_key { PATH_WITH_KEY } else { PATH })
        .body(Empty::new().map_err(|never| match never {}).boxed_unsync());
    let request = request.map_err(|error| broken(&error.to_string()))?;
    let answer = session.uploader.clone().oneshot(request).await;
    let answer = answer.map_err(|error| session.unreachable(error.as_ref()))?;
    let status = answer.status();
    if !status.is_success() {
        let body = Limited::new(answer.into_body(), REFUSAL_BYTES_MAX).collect().await;
        let body = body.map_err(|error| session.unreachable(error.as_ref()))?.to_bytes();
        return Err(session.refusal(status, &body));
    }
    copy(answer.into_body(), to).await
}

async fn copy(mut body: AnswerBody, to: &mut dyn Write) -> Result<u64, Error> {
    let mut tail = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error.to_string()))?;
        let Ok(data): Result<Bytes, _> = frame.into_data() else { continue };
        to.write_all(&data)?;
        tail.extend_from_slice(&data);
        let spare = tail.len().saturating_sub(END_BYTES_MAX);
        tail.drain(..spare);
    }
    to.flush()?;
    let last = tail.strip_suffix(b"\n").and_then(|tail| tail.rsplit(|byte| *byte == b'\n').next());
    let last = last.and_then(|line| serde_json::from_slice::<Last>(line).ok());
    let last = last.ok_or_else(|| {
        broken("it has no last line; when very much changes at once it cannot show one moment: try again")
    })?;
    Ok(last.end.objects)
}

fn broken(reason: &str) -> Error {
    Error::Refused(format!("the backup broke off and is of no use: {reason}"))
}
