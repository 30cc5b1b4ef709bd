//! Reading tar streams that nobody vouches for.
//!
//! The tar reader holds long names and extended headers in memory, as large as they claim to be. Here
//! every byte below it is counted, with a small allowance for what lies between one entry's data and
//! the next's.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tar::{Entry, EntryType, Header};

use crate::{Error, Result};

/// What one stream may hold, each with the name of the limit it comes from.
pub(crate) struct Bounds {
    /// What is read, for the error.
    pub(crate) what: String,
    pub(crate) bytes: (u64, &'static str),
    pub(crate) entries: (u64, &'static str),
    pub(crate) header_bytes: (u64, &'static str),
}

/// Makes the caller's error of an entry's name and what is wrong with it.
pub(crate) type Malformed<'a> = &'a dyn Fn(&str, String) -> Error;

/// Calls `visit` for each entry in order, then reads `reader` to its end. An entry's data that `visit`
/// leaves is skipped.
pub(crate) fn for_each(
    reader: &mut dyn Read,
    bounds: &Bounds,
    malformed: Malformed<'_>,
    visit: &mut dyn FnMut(&mut TarEntry<'_, '_>) -> Result<()>,
) -> Result<()> {
    let meter = Rc::new(Meter::new(bounds));
    let failed = |name: &str, e: io::Error| {
        let reason = || format!("not a readable tar: {}", meter.cause(&e));
        meter.exceeded(bounds).unwrap_or_else(|| malformed(name, reason()))
    };
    let mut archive = tar::Archive::new(Metered { reader, meter: Rc::clone(&meter) });
    let mut entries = archive.entries().map_err(|e| failed("start", e))?;
    let mut last: Option<String> = None;
    for number in 1u64.. {
        meter.between_entries.set(Some(bounds.header_bytes.0));
        let Some(entry) = entries.next() else { break };
        let place = || last.as_ref().map_or_else(|| "start".to_owned(), |last| format!("after {last}"));
        let entry = entry.map_err(|e| failed(&place(), e))?;
        meter.between_entries.set(None);
        if number > bounds.entries.0 {
            let (limit, limit_name) = bounds.entries;
            return Err(Error::TooLarge { what: bounds.what.clone(), limit_name, limit });
        }
        let path = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
        let left = entry.size();
        let mut entry = TarEntry { entry, path, left, meter: &meter, bounds, malformed };
        visit(&mut entry)?;
        entry.skip()?;
        last = Some(entry.name());
    }
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|e| failed("end", e))?;
    Ok(())
}

pub(crate) struct TarEntry<'a, 'r> {
    entry: Entry<'a, Metered<'r>>,
    path: PathBuf,
    left: u64,
    meter: &'a Meter,
    bounds: &'a Bounds,
    malformed: Malformed<'a>,
}

impl TarEntry<'_, '_> {
    /// The path as written, which may well be hostile.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    pub(crate) fn kind(&self) -> EntryType {
        self.entry.header().entry_type()
    }

    pub(crate) fn header(&self) -> &Header {
        self.entry.header()
    }

    pub(crate) fn size(&self) -> u64 {
        self.entry.size()
    }

    pub(crate) fn link_target(&self) -> Result<PathBuf> {
        match self.entry.link_name_bytes() {
            Some(target) if !target.is_empty() => Ok(PathBuf::from(OsStr::from_bytes(&target))),
            _ => Err(self.malformed("a link without a target".to_owned())),
        }
    }

    /// Extended attributes by name; records that cannot be parsed are left out.
    pub(crate) fn xattrs(&mut self) -> Vec<(String, Vec<u8>)> {
        const PREFIX: &str = "SCHILY.xattr.";
        let Ok(Some(extensions)) = self.entry.pax_extensions() else { return Vec::new() };
        extensions
            .filter_map(|record| {
                let record = record.ok()?;
                Some((record.key().ok()?.strip_prefix(PREFIX)?.to_owned(), record.value_bytes().to_vec()))
            })
            .collect()
    }

    /// The next bytes of the entry's data; 0 at its end, and never early.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.entry.read(buf).map_err(|e| {
            let reason = || format!("unreadable: {}", self.meter.cause(&e));
            self.meter.exceeded(self.bounds).unwrap_or_else(|| self.malformed(reason()))
        })?;
        if n == 0 && self.left > 0 && !buf.is_empty() {
            return Err(self.malformed(format!("ends {} bytes early", self.left)));
        }
        self.left = self.left.saturating_sub(n as u64);
        Ok(n)
    }

    /// The whole data of a small entry.
    pub(crate) fn read_all(&mut self, limit: u64, limit_name: &'static str) -> Result<Vec<u8>> {
        if self.size() > limit {
            return Err(Error::TooLarge { what: self.name(), limit_name, limit });
        }
        let mut data = vec![0; self.size() as usize];
        let mut filled = 0;
        while filled < data.len() {
            filled += self.read(&mut data[filled..])?;
        }
        Ok(data)
    }

    pub(crate) fn malformed(&self, reason: String) -> Error {
        (self.malformed)(&self.name(), reason)
    }

    fn skip(&mut self) -> Result<()> {
        let mut buf = [0; 16 << 10];
        while self.read(&mut buf)? > 0 {}
        Ok(())
    }
}

/// Counts down what may still be read.
struct Meter {
    left: Cell<u64>,
    /// While the tar reader looks for the next entry: what it may take for that.
    between_entries: Cell<Option<u64>>,
    exceeded: Cell<Option<(u64, &'static str)>>,
    /// The bytes themselves could not be had: a broken connection, a damaged compression.
    broken: Cell<bool>,
    bytes: (u64, &'static str),
    header_bytes: (u64, &'static str),
}

impl Meter {
    fn new(bounds: &Bounds) -> Meter {
        Meter {
            left: Cell::new(bounds.bytes.0),
            between_entries: Cell::new(None),
            exceeded: Cell::new(None),
            broken: Cell::new(false),
            bytes: bounds.bytes,
            header_bytes: bounds.header_bytes,
        }
    }

    /// False when a limit is passed, which is then remembered.
    fn count(&self, n: u64) -> bool {
        let Some(left) = self.left.get().checked_sub(n) else {
            self.exceeded.set(Some(self.bytes));
            return false;
        };
        self.left.set(left);
        if let Some(allowance) = self.between_entries.get() {
            let Some(left) = allowance.checked_sub(n) else {
                self.exceeded.set(Some(self.header_bytes));
                return false;
            };
            self.between_entries.set(Some(left));
        }
        true
    }

    /// What is wrong, in words that can be shown. The tar reader's own quote the bytes that they stumbled over, which
    /// may be anything.
    fn cause(&self, error: &io::Error) -> String {
        if self.broken.get() { error.to_string() } else { "no tar header where one must be".to_owned() }
    }

    fn exceeded(&self, bounds: &Bounds) -> Option<Error> {
        let (limit, limit_name) = self.exceeded.get()?;
        Some(Error::TooLarge { what: bounds.what.clone(), limit_name, limit })
    }
}

struct Metered<'r> {
    reader: &'r mut dyn Read,
    meter: Rc<Meter>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf).inspect_err(|_| self.meter.broken.set(true))?;
        if self.meter.count(n as u64) { Ok(n) } else { Err(io::Error::other("limit exceeded")) }
    }
}
