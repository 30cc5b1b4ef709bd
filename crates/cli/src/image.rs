//! `ebb image`: the images that an Ebb has. Other API servers do not know these paths.

mod load;
mod wire;

use jiff::Timestamp;
use resources::meta::Time;

use self::wire::{Image, Images, PATH};
use crate::{
    api::Session,
    console::Console,
    error::Error,
    print::{Table, age},
};

/// The commands of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Load images from an archive: an OCI layout, or what `docker save` writes
    Load(load::Args),
    /// List the images that are there
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
    /// The images
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
