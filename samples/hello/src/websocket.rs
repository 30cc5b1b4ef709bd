//! A WebSocket (RFC 6455) that sends every message back.

use std::io::{self, ErrorKind, Write};

use crate::handshake;
use crate::request::{Connection, Request};
use crate::respond::Status;

const PAYLOAD_BYTES_MAX: u64 = 16 << 20;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

pub(crate) fn serve(request: &Request, connection: &mut Connection) -> io::Result<()> {
    let Some(key) = request.header("sec-websocket-key") else {
        return Status::BAD_REQUEST.respond(&mut connection.stream, request.keep_alive, "not a WebSocket\n");
    };
    let accept = handshake::accept(key);
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    connection.stream.write_all(head.as_bytes())?;
    loop {
        let [first, second] = take(connection, 2)?[..] else { return Err(ErrorKind::UnexpectedEof.into()) };
        let length = match second & 0x7f {
            126 => take(connection, 2)?.iter().fold(0, |n, b| n << 8 | u64::from(*b)),
            127 => take(connection, 8)?.iter().fold(0, |n, b| n << 8 | u64::from(*b)),
            short => u64::from(short),
        };
        if second & 0x80 == 0 || length > PAYLOAD_BYTES_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        let mask = take(connection, 4)?;
        let mut payload = take(connection, length as usize)?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        let opcode = first & 0x0f;
        // Fragments go back as they came: same opcode, same final bit.
        let head = if opcode == PING { 0x80 | PONG } else { first };
        let mut frame = vec![head];
        match payload.len() {
            n @ ..126 => frame.push(n as u8),
            n @ ..65536 => frame.extend([126, (n >> 8) as u8, n as u8]),
            n => frame.extend([127].into_iter().chain((n as u64).to_be_bytes())),
        }
        frame.extend_from_slice(&payload);
        connection.stream.write_all(&frame)?;
        if opcode == CLOSE {
            return connection.stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn take(connection: &mut Connection, count: usize) -> io::Result<Vec<u8>> {
    while connection.buffer.len() < count {
        if connection.fill()? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(connection.buffer.drain(..count).collect())
}
