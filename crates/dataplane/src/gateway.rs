//! The gateway: connections in, routes, and what surrounds every request.

mod connection;
mod forward;
mod health;
mod listener;
mod probe;
mod rescue;
mod route;
mod table;
mod threads;
mod waiting;

pub(crate) use self::connection::{Busy, Connection};
pub(crate) use self::forward::{Forward, Forwarded};
pub(crate) use self::health::Health;
pub use self::listener::Gateway;
pub(crate) use self::probe::Probe;
pub(crate) use self::rescue::Rescue;
pub(crate) use self::route::Route;
pub use self::table::{Change, Conflict, IngressRoutes, RouteTable, Visibility};
pub(crate) use self::waiting::Waiting;
