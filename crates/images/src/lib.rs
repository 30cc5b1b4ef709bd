//! OCI images: their names, the store on disk, and every way into it.
//!
//! This crate knows references, digests, manifests, layers and registries. It must never know pods,
//! containers or the Kubernetes API: a caller asks for an image and gets an [`Image`], whose
//! directories it may mount and whose [`ImageConfig`] it may run.
//!
//! ```text
//!   registry ──pull──┐                         ┌─ blobs/sha256/…   as received
//!   archive  ──load──┼─► ingest ──verify, then─┼─ layers/DIFFID/   unpacked once, shared
//!   build    ──put───┘   (tmp/)     commit     └─ refs.json        reference → digest
//!                                                      │
//!                          get / lease / flatten ◄─────┘──► changes(): wakes who waits for an image
//! ```
//!
//! Nothing is visible before it is whole: an ingest writes below `tmp/`, checks every digest, unpacks
//! the layers, and only then renames into place and rewrites `refs.json`. A crash leaves garbage in
//! `tmp/`, which the next open empties, or a blob without a name, which goes with the next
//! [`Store::collect`].
//!
//! What the callers must bring: a process-wide rustls crypto provider before the first [`Registries`]
//! call, and a blocking context (`spawn_blocking`) for what is not `async` and not answered from memory, as `get`,
//! `lease` and `list` are.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod archive;
mod build;
mod compression;
mod config;
mod digest;
mod error;
mod limits;
mod manifest;
mod reference;
mod registry;
#[cfg(test)]
mod skipped;
mod store;
mod tarball;
mod unpack;

pub use self::{
    archive::{load, load_async},
    build::{FileSystem, ImageBuilder},
    config::{ImageConfig, Port},
    digest::Digest,
    error::{Error, RegistryCause, Result},
    limits::Limits,
    reference::Reference,
    registry::{Keyring, Registries, RegistryConfig},
    store::{Image, ImageSummary, Layers, Lease, Store, StoreConfig},
};
