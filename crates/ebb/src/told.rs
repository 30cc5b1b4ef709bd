//! What went wrong, told in one line for people, and only once.

use std::{fmt, io::Write};

use anyhow::Result;

/// An error that was told when it happened. What is left of it is how the program ends.
#[derive(Debug)]
struct Told;

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was told before")
    }
}

impl std::error::Error for Told {}

/// Tells of what went wrong, unless that was done before.
pub(crate) fn tell(result: Result<()>) -> Result<()> {
    tell_on(&mut std::io::stderr(), result)
}

fn tell_on(out: &mut impl Write, result: Result<()>) -> Result<()> {
    result.map_err(|error| {
        if error.is::<Told>() {
            return error;
        }
        // Whoever has stopped reading is not waited for.
        let _ = writeln!(out, "Error: {error:#}");
        Told.into()
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_is_told_once() {
        let mut said = Vec::<u8>::new();
        let once = tell_on(&mut said, Err(anyhow!("no space").context("writing the state")));
        let twice = tell_on(&mut said, once);
        assert!(twice.is_err(), "it counts for how the program ends");
        assert_eq!(String::from_utf8(said).unwrap(), "Error: writing the state: no space\n");
        assert!(tell_on(&mut Vec::<u8>::new(), Ok(())).is_ok());
    }
}
