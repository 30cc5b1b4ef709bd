//! Addresses and blocks of them (upstream: apiserver, `library/{ip,cidr}.go`).

use std::{fmt, net::IpAddr};

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Own, Value},
};

/// A block of addresses: one of them, and how many bits they have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    bits: u8,
}

impl Block {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address = address_of(address)?;
        let plain = bits.len() == 1 || !bits.starts_with(['0', '+']);
        let bits: u8 = bits.parse().ok().filter(|bits| plain && *bits <= size(address))?;
        Some(Self { address, bits })
    }

    fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        };
        Self { address, bits: self.bits }
    }

    fn contains(self, address: IpAddr) -> bool {
        size(address) == size(self.address)
            && Self { address, bits: self.bits }.masked().address == self.masked().address
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn size(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// An address; those of the old kind written as ones of the new kind are none.
fn address_of(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address {
        IpAddr::V6(inner) if inner.to_ipv4_mapped().is_some() => None,
        address => Some(address),
    }
}

fn text<'a>(args: &'a [Value<'_>], at: usize) -> Result<&'a str, Failure> {
    args.get(at).and_then(Value::text).ok_or_else(Failure::no_overload)
}

fn wrong(text: &str) -> Failure {
    Failure::error(format!("IP Address \"{text}\" parse error during conversion from string"))
}

fn wrong_block(text: &str) -> Failure {
    Failure::error(format!("network address parse error during conversion from string: {text:?}"))
}

pub(crate) fn ip<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    if let Some(Ok(block)) = args.first().map(block_of) {
        return Ok(Value::own(Own::Ip(block.address)));
    }
    let text = text(args, 0)?;
    Ok(Value::own(Own::Ip(address_of(text).ok_or_else(|| wrong(text))?)))
}

pub(crate) fn is_ip<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Bool(address_of(text(args, 0)?).is_some()))
}

pub(crate) fn is_canonical<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = text(args, 0)?;
    let address = address_of(text).ok_or_else(|| wrong(text))?;
    Ok(Value::Bool(address.to_string() == text))
}

pub(crate) fn cidr<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = text(args, 0)?;
    Ok(Value::own(Own::Cidr(Block::read(text).ok_or_else(|| wrong_block(text))?)))
}

pub(crate) fn is_cidr<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Bool(Block::read(text(args, 0)?).is_some()))
}

fn ip_of(value: &Value<'_>) -> Result<IpAddr, Failure> {
    match value {
        Value::Own(own) => match &**own {
            Own::Ip(address) => Ok(*address),
            _ => Err(Failure::no_overload()),
        },
        Value::String(text) => address_of(text).ok_or_else(|| wrong(text)),
        _ => Err(Failure::no_overload()),
    }
}

fn block_of(value: &Value<'_>) -> Result<Block, Failure> {
    match value {
        Value::Own(own) => match &**own {
            Own::Cidr(block) => Ok(*block),
            _ => Err(Failure::no_overload()),
        },
        _ => Err(Failure::no_overload()),
    }
}

fn asked<'v>(args: &[Value<'v>], question: impl Fn(IpAddr) -> bool) -> Answer<'v> {
    let address = args.first().ok_or_else(Failure::no_overload)?;
    ip_of(address).map(|address| Value::Bool(question(address)))
}

pub(crate) fn family<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let address = args.first().ok_or_else(Failure::no_overload)?;
    ip_of(address).map(|address| Value::Int(if address.is_ipv4() { 4 } else { 6 }))
}

pub(crate) fn is_unspecified<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    asked(args, |address| address.is_unspecified())
}

pub(crate) fn is_loopback<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    asked(args, |address| address.is_loopback())
}

fn local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

pub(crate) fn is_link_local_multicast<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    asked(args, local_multicast)
}

pub(crate) fn is_link_local_unicast<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    asked(args, local_unicast)
}

pub(crate) fn is_global_unicast<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let broadcast = |address: IpAddr| matches!(address, IpAddr::V4(address) if address.is_broadcast());
    asked(args, |address| {
        !(address.is_unspecified()
            || address.is_loopback()
            || address.is_multicast()
            || local_unicast(address)
            || broadcast(address))
    })
}

fn two<'a, 'v>(args: &'a [Value<'v>]) -> Result<(Block, &'a Value<'v>), Failure> {
    let [block, other] = args else { return Err(Failure::no_overload()) };
    Ok((block_of(block)?, other))
}

pub(crate) fn contains_ip<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let (block, address) = two(args)?;
    Ok(Value::Bool(block.contains(ip_of(address)?)))
}

pub(crate) fn contains_cidr<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let (block, other) = two(args)?;
    let other = match other {
        Value::String(text) => Block::read(text).ok_or_else(|| wrong_block(text))?,
        other => block_of(other)?,
    };
    Ok(Value::Bool(block.bits <= other.bits && block.contains(other.masked().address)))
}

pub(crate) fn prefix_length<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let block = block_of(args.first().ok_or_else(Failure::no_overload)?)?;
    Ok(Value::Int(block.bits.into()))
}

pub(crate) fn masked<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let block = block_of(args.first().ok_or_else(Failure::no_overload)?)?;
    Ok(Value::own(Own::Cidr(block.masked())))
}
