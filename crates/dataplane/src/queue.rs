//! The queue in front of each instance: slots, connections, timeouts.

mod breaker;
mod link;
mod member;
mod pool;
mod timeout;
mod transmit;
mod tunnel;

pub(crate) use self::breaker::{Admission, Breaker, Ticket, Turn};
pub(crate) use self::link::Link;
pub(crate) use self::member::Member;
pub(crate) use self::pool::{Driver, Pool, Stream};
pub(crate) use self::timeout::{ResponseTimeouts, TimedOut, Timeout};
pub(crate) use self::transmit::{Failure, Transmit};
