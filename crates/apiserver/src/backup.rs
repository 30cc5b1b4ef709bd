//! A copy of the whole state at one moment, which another data directory can begin with.
//!
//! It is text, one JSON value a line:
//!
//! ```text
//!   {"backup":1,"version":4711,"ebb":"0.1.0","taken":"…"}          the form, and the moment
//!   {"file":"ca.key","text":"…"}                                   the authority's files
//!   {"key":"apps/deployments/default/web","object":{…}}            every object, as it was stored
//!   {"end":{"objects":12,"sha256":"…"}}                            of all bytes before this line
//! ```
//!
//! Objects that their controllers make again of others, and what only says how a machine is, are in it and are left
//! out when a state is made of it. Images and what containers wrote are no part of it.

mod raw;
mod restore;
mod take;

use serde::{Deserialize, Serialize};

use self::raw::Raw;

pub use self::restore::{Restored, restore};
pub(crate) use self::take::{PATH, take};

/// The form that is written, and the newest that is read.
const FORM: u32 = 1;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Head { backup: u32, version: u64, ebb: String, taken: String },
    File { file: String, text: String },
    Object { key: String, object: Raw },
    End { end: End },
}

#[derive(Serialize, Deserialize)]
struct End {
    objects: u64,
    sha256: String,
}
