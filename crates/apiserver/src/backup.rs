//! A copy of the whole state at one moment, which another data directory can begin with.
//!
//! It is text, one JSON value a line:
//!
//! ```text
//!   {"backup":2,"version":4711,"ebb":"0.1.0","taken":"…"}          the form, and the moment
//!   {"secretsKey":"…"}                                             if asked for: what opens what is sealed
//!   {"file":"ca.crt","text":"…"}                                   the authority's files
//!   {"file":"ca.key","sealed":"…"}                                 keys, encrypted as Secrets are on disk
//!   {"key":"apps/deployments/default/web","object":{…}}            every object, as it was stored
//!   {"key":"core/secrets/default/s","sealed":"…"}                  Secrets, encrypted
//!   {"end":{"objects":12,"sha256":"…"}}                            of all bytes before this line
//! ```
//!
//! What is sealed is bound to its line's name and to the backup's version. Form 1 had nothing sealed, and is read.
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
const FORM: u32 = 2;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Head {
        backup: u32,
        version: u64,
        ebb: String,
        taken: String,
    },
    Key {
        #[serde(rename = "secretsKey")]
        secrets_key: String,
    },
    File {
        file: String,
        text: String,
    },
    SealedFile {
        file: String,
        sealed: String,
    },
    Object {
        key: String,
        object: Raw,
    },
    Sealed {
        key: String,
        sealed: String,
    },
    End {
        end: End,
    },
}

#[derive(Serialize, Deserialize)]
struct End {
    objects: u64,
    sha256: String,
}
