//! What a caller hands in.

use std::sync::Arc;

use bytes::Bytes;

/// The number of a change, in the one order of all changes. The first is 1; none is ever given twice.
pub type Version = u64;

/// Something that can become bytes later, on the writer's thread or when first read.
///
/// `encode` must give the same bytes each time and must not call the store. It may be called more than once: cache
/// the result if it is dear.
pub trait Encode: Send + Sync {
    /// The bytes that are stored.
    fn encode(&self) -> Bytes;

    /// About how long the encoding is, in bytes. The store's limits count it, so it must be cheap, and should not
    /// be far below the truth.
    fn size_hint(&self) -> usize {
        2048
    }
}

impl Encode for Bytes {
    fn encode(&self) -> Bytes {
        self.clone()
    }

    fn size_hint(&self) -> usize {
        self.len()
    }
}

/// A value before it is written: the store drops it once its bytes are durable.
pub type Value = Arc<dyn Encode>;

/// One change of one key.
#[derive(Clone)]
pub enum Op {
    /// Gives the key this value.
    Put(Value),
    /// Deleting a key that is not there is a change too, with a version of its own.
    Delete,
}

impl Op {
    /// Puts bytes that are there already.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::Put(Arc::new(bytes.into()))
    }

    pub(super) fn size_hint(&self) -> usize {
        match self {
            Self::Put(value) => value.size_hint(),
            Self::Delete => 0,
        }
    }
}

/// How soon a change is to be on disk. Either way it is there after everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Somebody waits for it: written now.
    Wait,
    /// It can be derived again: written with others, within `Options::collect_max`.
    Soon,
}
