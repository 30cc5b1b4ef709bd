//! A request's body, as it comes.

use std::io::{self, ErrorKind};

use crate::request::{Connection, Request};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    None,
    Fixed(u64),
    Chunked,
}

impl Length {
    /// `None` for a length that is not a number.
    pub(crate) fn of(request: &Request) -> Option<Length> {
        match (request.header("transfer-encoding"), request.header("content-length")) {
            (Some(encoding), _) if encoding.eq_ignore_ascii_case("chunked") => Some(Length::Chunked),
            (Some(_), _) => None,
            (None, Some(length)) => Some(Length::Fixed(length.parse().ok()?)),
            (None, None) => Some(Length::None),
        }
    }
}

/// Passes each piece to `sink` as soon as it is read.
pub(crate) fn read(
    connection: &mut Connection,
    length: Length,
    mut sink: impl FnMut(&mut Connection, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    match length {
        Length::None => Ok(()),
        Length::Fixed(size) => read_exactly(connection, size, &mut sink),
        Length::Chunked => loop {
            let line = read_line(connection)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
            if size == 0 {
                // Trailers, then an empty line.
                while !read_line(connection)?.is_empty() {}
                return Ok(());
            }
            read_exactly(connection, size, &mut sink)?;
            read_line(connection)?;
        },
    }
}

fn read_exactly(
    connection: &mut Connection,
    mut left: u64,
    sink: &mut impl FnMut(&mut Connection, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    while left > 0 {
        if connection.buffer.is_empty() && connection.fill()? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let take = connection.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let piece: Vec<u8> = connection.buffer.drain(..take).collect();
        left -= take as u64;
        sink(connection, &piece)?;
    }
    Ok(())
}

fn read_line(connection: &mut Connection) -> io::Result<String> {
    const LINE_BYTES_MAX: usize = 8 << 10;
    loop {
        if let Some(end) = connection.buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = connection.buffer.drain(..=end).collect();
            let line = String::from_utf8(line).map_err(|_| ErrorKind::InvalidData)?;
            return Ok(line.trim_end().to_owned());
        }
        if connection.buffer.len() > LINE_BYTES_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        if connection.fill()? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}
