//! What is said of a service that was just written: progress, then its URL.

use resources::serving::Service;

use super::wait::{WaitArgs, wait_until_ready};
use crate::{api::Session, console::Console, error::Error};

/// How a write is spoken of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    /// `Creating`.
    pub(super) doing: &'static str,
    /// `created`.
    pub(super) done: &'static str,
}

/// Says that the service was written; waits until it is ready if that is wanted, and shows its URL.
pub(super) async fn written(
    name: &str,
    verb: Verb,
    wait: &WaitArgs,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    if !wait.wanted(true) {
        writeln!(console.out, "Service '{name}' {} in namespace '{}'.", verb.done, session.namespace)?;
        return Ok(());
    }
    writeln!(console.out, "{} service '{name}' in namespace '{}':", verb.doing, session.namespace)?;
    writeln!(console.out)?;
    ready(name, wait, session, console).await?;
    writeln!(console.out)?;
    show_url(name, None, verb.done, session, console).await
}

/// Waits until the service is ready, with a line for each change, and for each thing that holds it up.
pub(super) async fn ready(
    name: &str,
    wait: &WaitArgs,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    let took = wait_until_ready(name, wait.limits(), session, console).await?;
    writeln!(console.out, "{:7.3}s Ready to serve.", took.as_secs_f64())?;
    Ok(())
}

/// Shows where the service answers; `before` is the revision that was ready before the write.
pub(super) async fn show_url(
    name: &str,
    before: Option<&str>,
    done: &str,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    let service = session.get::<Service>(name).await?;
    let revision = service.status.latest_ready_revision_name.as_deref().unwrap_or_default();
    let url = service.status.url.as_deref().unwrap_or_default();
    if before.is_some_and(|before| before == revision) {
        unchanged(name, revision, url, console)
    } else {
        writeln!(
            console.out,
            "Service '{name}' {done} to latest revision '{revision}' is available at URL:\n{url}"
        )?;
        Ok(())
    }
}

/// Shows where a service answers that was left as it is.
pub(super) fn unchanged(
    name: &str,
    revision: &str,
    url: &str,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    writeln!(
        console.out,
        "Service '{name}' with latest revision '{revision}' (unchanged) is available at URL:\n{url}"
    )?;
    Ok(())
}
