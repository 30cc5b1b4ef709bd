//! What is stored, as another version or form of its kind has it.

use std::sync::Arc;

use objects::Error;
use resources::Kind;

use crate::store::Stored;

/// Objects that are made anew before other tasks get their turn.
const MADE_AT_ONCE: usize = 256;

/// A stored object in the form that `kind` is of its kind; `None` where it is none, and the object is as it should be.
pub(crate) fn of(kind: &'static Kind, stored: &Stored) -> Result<Option<Arc<Stored>>, Error> {
    if !kind.is_form() {
        return Ok(None);
    }
    let object = kind.of_original(&*stored.object()?);
    let object = object.ok_or_else(|| Error::Internal(format!("what is stored is no {kind:?}")))?;
    Ok(Some(Arc::new(Stored::hot(stored.version, object, stored.cost()))))
}

/// As [`of`], of many.
pub(crate) async fn of_all(kind: &'static Kind, all: &mut [Arc<Stored>]) -> Result<(), Error> {
    if !kind.is_form() {
        return Ok(());
    }
    each(all, |stored| Ok(of(kind, stored)?.unwrap_or_else(|| Arc::clone(stored)))).await
}

/// Puts views of objects in their place; other tasks get their turn in between.
pub(super) async fn each(
    all: &mut [Arc<Stored>],
    view: impl Fn(&Arc<Stored>) -> Result<Arc<Stored>, Error>,
) -> Result<(), Error> {
    let mut made = 0;
    for stored in all {
        let viewed = view(stored)?;
        if Arc::ptr_eq(stored, &viewed) {
            continue;
        }
        // JSON takes a fraction of the memory, and is what most lists need.
        viewed.cool();
        *stored = viewed;
        made += 1;
        if made % MADE_AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
