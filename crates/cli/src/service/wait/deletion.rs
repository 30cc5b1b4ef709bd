//! Deletes, and waits until the object is gone if that is wanted.

use std::{pin::pin, time::Duration};

use futures::StreamExt;
use kube::api::{DeleteParams, WatchEvent};
use tokio::time::{Instant, sleep, timeout_at};

use super::{DeleteWaitArgs, REOPEN_PAUSE, watch_of};
use crate::{
    api::{Served, Session},
    error::Error,
};

/// Deletes one object. Without waiting its children go later; with waiting they go first.
pub(crate) async fn delete<K: Served>(
    name: &str,
    wait: &DeleteWaitArgs,
    session: &Session,
) -> Result<(), Error> {
    let api = session.all::<K>();
    if !wait.wait {
        return match api.delete(name, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(session.explain(error)),
        };
    }
    let object = session.get::<K>(name).await?;
    let uid = object.uid().to_owned();
    let end = Instant::now() + Duration::from_secs(wait.wait_timeout);
    let timed_out = || Error::Timeout {
        kind: <K as resources::Object>::kind().singular,
        name: name.to_owned(),
        what: "deleted",
        seconds: wait.wait_timeout,
    };
    let deleted = async {
        let params = watch_of(name);
        let mut version = object.metadata().resource_version.clone().unwrap_or_default();
        let mut asked = false;
        loop {
            // The watch stands before the deletion is asked for, so that its end cannot be missed.
            let events = api.watch(&params, &version).await.map_err(|error| session.explain(error))?;
            if !asked {
                api.delete(name, &DeleteParams::foreground())
                    .await
                    .map_err(|error| session.explain(error))?;
                asked = true;
            }
            let mut events = pin!(events);
            while let Some(Ok(event)) = events.next().await {
                match event {
                    WatchEvent::Deleted(_) => return Ok(()),
                    WatchEvent::Error(_) => break,
                    _ => {}
                }
            }
            sleep(REOPEN_PAUSE).await;
            match session.find::<K>(name).await? {
                Some(object) if object.uid() == uid => {
                    version = object.metadata().resource_version.clone().unwrap_or_default();
                }
                _ => return Ok(()),
            }
        }
    };
    timeout_at(end, deleted).await.map_err(|_| timed_out())?
}
