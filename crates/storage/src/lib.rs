//! Durable storage: the only crate that syncs to disk.
//!
//! It keeps bytes under keys and knows nothing of what they mean: no Kubernetes, no CloudEvents, no HTTP, no JSON.
//! All its I/O goes through one small seam, [`fs::FileSystem`], so that tests can cut the power at any operation.
//!
//! ```text
//!   append(key, op) ──▶ version, place in the order, visible to get        (short lock, no I/O)
//!        │
//!        ▼ queue (bounded)
//!   writer thread: encode ─▶ one frame ─▶ append ─▶ fdatasync ─▶ durable(version) returns
//!        │                                   │
//!        └─ compaction: the oldest           ▼
//!           segment's live records ──▶  00000007.segment  00000008.segment (active)
//!           ride along in the frame          ▲
//!                                            │ pread, through a bounded cache
//!   get(key) ──▶ index: key → version, place ┘
//! ```
//!
//! [`objects`] is the revisioned object store. What [`objects::Sealing`] names is encrypted on disk.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
mod events;
pub mod fs;
pub mod objects;

pub use self::error::{Error, Result};
