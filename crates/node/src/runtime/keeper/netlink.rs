//! The two route netlink requests that a sandbox needs: raise the loopback device, and add addresses to it.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

/// The loopback device is the first of every network namespace.
const LOOPBACK: u32 = 1;
const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// Usable at once, without asking the network whether somebody has it.
const IFA_F_NODAD: u8 = 0x2;
const IFF_UP: u32 = 0x1;
const SCOPE_UNIVERSE: u8 = 0;

/// A route netlink socket of the network namespace in which it was made.
pub(super) struct Route(OwnedFd);

impl Route {
    pub(super) fn new() -> io::Result<Self> {
        // Protocol 0 is NETLINK_ROUTE.
        Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?))
    }

    /// Raises the loopback device, which gives it 127.0.0.1 and ::1.
    pub(super) fn raise_loopback(&self) -> io::Result<()> {
        let mut body = Vec::new();
        body.extend([0, 0]);
        body.extend(0u16.to_ne_bytes());
        for word in [LOOPBACK, IFF_UP, IFF_UP] {
            body.extend(word.to_ne_bytes());
        }
        self.request(RTM_NEWLINK, 0, &body)
    }

    /// Adds an address to the loopback device.
    pub(super) fn add_address(&self, address: IpAddr) -> io::Result<()> {
        let (family, bytes) = match address {
            IpAddr::V4(v4) => (libc::AF_INET as u8, v4.octets().to_vec()),
            IpAddr::V6(v6) => (libc::AF_INET6 as u8, v6.octets().to_vec()),
        };
        let prefix = (bytes.len() * 8) as u8;
        let mut body = vec![family, prefix, IFA_F_NODAD, SCOPE_UNIVERSE];
        body.extend(LOOPBACK.to_ne_bytes());
        for attribute in [IFA_LOCAL, IFA_ADDRESS] {
            body.extend((4 + bytes.len() as u16).to_ne_bytes());
            body.extend(attribute.to_ne_bytes());
            body.extend(&bytes);
        }
        self.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body)
    }

    fn request(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(16 + body.len());
        message.extend((16 + body.len() as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        send(&self.0, &message, SendFlags::empty())?;
        let mut answer = [0; 512];
        let (length, _) = recv(&self.0, &mut answer[..], RecvFlags::empty())?;
        acknowledged(&answer[..length])
    }
}

/// An acknowledgement is an error message with the number 0.
fn acknowledged(answer: &[u8]) -> io::Result<()> {
    let broken =
        || io::Error::new(io::ErrorKind::InvalidData, "an answer from netlink that is no acknowledgement");
    let kind = answer.get(4..6).ok_or_else(broken)?;
    let error = answer.get(16..20).ok_or_else(broken)?;
    if kind != NLMSG_ERROR.to_ne_bytes() {
        return Err(broken());
    }
    match i32::from_ne_bytes(error.try_into().map_err(|_| broken())?) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}
