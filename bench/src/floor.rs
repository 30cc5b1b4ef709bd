//! What figures are held against: the least that could do the same, in the same run.

mod alone;
mod prototype;
mod spawned;
mod tls;

pub(crate) use self::{
    alone::{Alone, Retry},
    prototype::Prototype,
    spawned::first_byte_of_spawned,
    tls::{TLS_LISTENER, TlsListener, first_ok, from_pem, tls_listener},
};
