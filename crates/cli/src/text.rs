//! Text that commands read: up to a limit, also where its length is not known before, as a pipe's.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::error::Error;

/// The longest text that is read: as much as the API takes of an object.
const TEXT_BYTES_MAX: usize = resources::custom::BODY_BYTES_MAX as usize;

/// A file's text.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let file = File::open(path).map_err(failed(path))?;
    text(path, file)
}

/// A file's text, or that of the standard input where it is named `-`.
pub(crate) fn read_text_or_input(path: &Path) -> Result<String, Error> {
    if path == Path::new("-") { text(path, io::stdin().lock()) } else { read_text(path) }
}

fn text(path: &Path, from: impl Read) -> Result<String, Error> {
    let mut bytes = Vec::new();
    from.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed(path))?;
    if bytes.len() > TEXT_BYTES_MAX {
        let reason = format!("it has more than the {TEXT_BYTES_MAX} bytes that are read");
        return Err(Error::Content { path: path.to_owned(), expected: "a file of that kind", reason });
    }
    String::from_utf8(bytes).map_err(|error| failed(path)(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::File { what: "read", path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_the_limit_or_never_ends_is_refused() {
        let read = |length: usize| text(Path::new("-"), io::repeat(b'x').take(length as u64));
        assert_eq!(read(TEXT_BYTES_MAX).unwrap().len(), TEXT_BYTES_MAX);
        for error in [read(TEXT_BYTES_MAX + 1), text(Path::new("-"), io::repeat(b'x'))] {
            let error = error.unwrap_err().to_string();
            assert_eq!(
                error,
                "- is not a file of that kind: it has more than the 3145728 bytes that are read"
            );
        }
        let error = text(Path::new("x"), &b"\xff"[..]).unwrap_err().to_string();
        assert!(error.starts_with("cannot read x: invalid utf-8"), "{error}");
    }
}
