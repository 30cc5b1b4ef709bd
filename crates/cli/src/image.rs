//! `ebb image`: the images that an Ebb has. Other API servers do not know these paths.

mod load;
mod name;
mod wire;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use jiff::Timestamp;
use resources::meta::Time;
use tower::ServiceExt;

use self::wire::{Images, PATH};
pub(crate) use self::{
    name::{Name, alike, another_build},
    wire::Image,
};
use crate::{
    api::Session,
    connection::UploadBody,
    console::Console,
    error::Error,
    print::{Table, age},
};

/// The longest list of images that is read for a hint.
const HINT_BYTES_MAX: usize = 1 << 20;

/// The commands of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Load images from an archive: an OCI layout, or what `docker save` writes
    Load(load::Args),
    /// List images
    #[command(visible_alias = "ls")]
    List(ListCommand),
    /// Remove images
    #[command(visible_alias = "rm")]
    Remove(RemoveCommand),
}

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub struct ListCommand {
    /// Print no headers
    #[arg(long)]
    no_headers: bool,
}

/// What `remove` takes.
#[derive(Debug, clap::Args)]
pub struct RemoveCommand {
    /// The images, by the names that `ebb image list` shows
    #[arg(value_name = "REFERENCE", required = true)]
    references: Vec<String>,
    /// Remove also what a revision or a pod uses: what runs goes on, but cannot start again
    #[arg(short, long)]
    force: bool,
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    match command {
        Command::Load(args) => load::run(&args, session, console).await,
        Command::List(args) => {
            let images: Images = session.request(http::Method::GET, PATH).await?;
            Ok(console.out.write_all(table(images.items, args.no_headers, console.now()).as_bytes())?)
        }
        Command::Remove(args) => remove(&args, session, console).await,
    }
}

/// The images that are there, for a hint: none where they cannot be had, or are too many to look through.
pub(crate) async fn there(session: &Session) -> Vec<Image> {
    listed(session).await.map(|images| images.items).unwrap_or_default()
}

async fn listed(session: &Session) -> Option<Images> {
    let body: UploadBody = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let answer = session.uploader.clone().oneshot(Request::get(PATH).body(body).ok()?).await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let body = Limited::new(answer.into_body(), HINT_BYTES_MAX).collect().await.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}

async fn remove(args: &RemoveCommand, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let mut failed = Vec::new();
    for reference in &args.references {
        let force = if args.force { "&force=true" } else { "" };
        let path = format!("{PATH}?{}{force}", wire::query("reference", reference));
        match session.request::<serde::de::IgnoredAny>(http::Method::DELETE, &path).await {
            Ok(_) => writeln!(console.out, "Image '{reference}' removed.")?,
            Err(error) => failed.push(error),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Several(failed)) }
}

fn table(mut images: Vec<Image>, no_headers: bool, now: Timestamp) -> String {
    if images.is_empty() {
        return "No images found.\n".into();
    }
    images.sort_by(|one, other| one.reference.cmp(&other.reference));
    let headers = ["REFERENCE", "DIGEST", "SIZE", "AGE"];
    let mut table = Table::new((!no_headers).then_some(&headers));
    for image in &images {
        let loaded = image.loaded.map(Time);
        let digest: String =
            image.digest.strip_prefix("sha256:").unwrap_or(&image.digest).chars().take(12).collect();
        table.row(&[image.reference.clone(), digest, wire::size(image.size), age(loaded.as_ref(), now)]);
    }
    table.render()
}

#[cfg(test)]
mod tests;
