//! The gateway: connections in, routes, and what surrounds every request.

mod as_it_came;
mod connection;
mod deadlines;
mod expiry;
mod forward;
mod health;
mod listener;
mod peers;
mod probe;
mod rescue;
mod route;
mod streams;
mod table;
mod threads;
mod unready;

pub(crate) use self::as_it_came::AsItCame;
pub(crate) use self::connection::{Busy, Connection};
pub(crate) use self::deadlines::Watched;
pub(crate) use self::forward::{Forward, Forwarded};
pub(crate) use self::health::Health;
pub use self::listener::Gateway;
pub(crate) use self::probe::Probe;
pub(crate) use self::rescue::Rescue;
pub(crate) use self::route::Route;
pub use self::table::{Age, Change, Conflict, IngressRoutes, RouteTable, Standing, Visibility};
pub(crate) use self::unready::UnreadyRoutes;
