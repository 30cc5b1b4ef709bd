//! One version of one object, as type, as JSON, or both.

use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use objects::Error;
use parking_lot::Mutex;
use resources::{DynObject, Kind};

/// One version of one object. Each form is made when it is first asked for; the disk, all watchers and all readers
/// share them.
pub(crate) struct Stored {
    pub(crate) kind: &'static Kind,
    pub(crate) version: u64,
    /// The version it was written under: older than its own in what a watcher sees last.
    written: u64,
    /// At least one of the two is there at any time.
    typed: Mutex<Option<Arc<dyn DynObject>>>,
    json: OnceLock<Bytes>,
    size_hint: usize,
}

/// What an object is taken for, in bytes of JSON, before it has been encoded.
pub(crate) const SIZE_HINT: usize = 4096;

impl Stored {
    /// A new version that nobody has encoded yet. `size_hint` is about how long its JSON will be.
    pub(crate) fn hot(version: u64, object: Arc<dyn DynObject>, size_hint: usize) -> Self {
        let (kind, typed) = (object.kind(), Mutex::new(Some(object)));
        Self { kind, version, written: version, typed, json: OnceLock::new(), size_hint }
    }

    /// A version read from the disk.
    pub(crate) fn cold(kind: &'static Kind, version: u64, json: Bytes) -> Self {
        let size_hint = json.len();
        let typed = Mutex::new(None);
        Self { kind, version, written: version, typed, json: OnceLock::from(json), size_hint }
    }

    /// The object by type. Decodes it when only its JSON is in memory.
    pub(crate) fn object(&self) -> Result<Arc<dyn DynObject>, Error> {
        match &*self.typed.lock() {
            Some(object) => Ok(Arc::clone(object)),
            None => self.decode(),
        }
    }

    /// As [`Stored::object`], and keeps it.
    pub(crate) fn warm(&self) -> Result<Arc<dyn DynObject>, Error> {
        let mut typed = self.typed.lock();
        if let Some(object) = &*typed {
            return Ok(Arc::clone(object));
        }
        let object = self.decode()?;
        *typed = Some(Arc::clone(&object));
        Ok(object)
    }

    /// The object as JSON text.
    pub(crate) fn json(&self) -> Bytes {
        self.json
            .get_or_init(|| {
                let object = self.typed.lock().clone();
                // Boxed: it may stay for long, so what its buffer has to spare is given back.
                object.map_or_else(Bytes::new, |object| Bytes::from(object.to_json().into_boxed_slice()))
            })
            .clone()
    }

    /// Whether it was written after a version, and as an object of this kind's version.
    pub(crate) fn is_written_as(&self, kind: &Kind, since: u64) -> bool {
        if self.written <= since {
            return false;
        }
        if let Some(object) = &*self.typed.lock() {
            return object.kind().version == kind.version;
        }
        // What users define is written with its version first.
        let begins = format!("{{\"apiVersion\":\"{}\",", kind.api_version());
        self.json.get().is_some_and(|json| json.starts_with(begins.as_bytes()))
    }

    /// About how long its JSON is: exactly, once somebody has made it.
    pub(crate) fn cost(&self) -> usize {
        self.encoded_len().unwrap_or(self.size_hint)
    }

    /// How long its JSON is, if somebody has made it.
    pub(crate) fn encoded_len(&self) -> Option<usize> {
        self.json.get().map(Bytes::len)
    }

    /// Lets the typed form go, which is several times larger; makes the JSON first if nobody has.
    pub(crate) fn cool(&self) {
        self.json();
        let typed = self.typed.lock().take();
        drop(typed);
    }

    /// A way back to the typed object, if somebody beside this holds it.
    pub(super) fn holder(&self) -> Option<Weak<dyn DynObject>> {
        let typed = self.typed.lock();
        typed.as_ref().filter(|object| Arc::strong_count(object) > 1).map(Arc::downgrade)
    }

    /// The same state under another version, as the last sight of an object that leaves a watch.
    pub(crate) fn at_version(&self, version: u64) -> Result<Self, Error> {
        let object = self.object()?;
        let mut metadata = object.metadata().clone();
        metadata.resource_version = Some(version.to_string());
        let last = Self::hot(version, object.with_metadata(metadata), self.size_hint);
        Ok(Self { written: self.written, ..last })
    }

    fn decode(&self) -> Result<Arc<dyn DynObject>, Error> {
        let json = self.json.get().map(Bytes::as_ref).unwrap_or_default();
        self.kind
            .decode(json)
            .map_err(|error| Error::Internal(format!("a stored {:?} cannot be read: {error}", self.kind)))
    }
}

/// Lets the typed forms go of what the caller was the last but one to hold. What nobody else has goes as it is: nobody
/// asks for its JSON any more.
pub(super) fn cool_all(stored: &[Arc<Stored>]) {
    stored.iter().filter(|stored| Arc::strong_count(stored) > 1).for_each(|stored| stored.cool());
}

impl storage::objects::Encode for Stored {
    fn encode(&self) -> Bytes {
        self.json()
    }

    fn size_hint(&self) -> usize {
        self.cost()
    }
}
