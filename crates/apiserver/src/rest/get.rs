//! GET of one object.

use http::{Response, StatusCode};

use super::{call::Call, list, reply};
use crate::{mount::Body, status::Failure};

pub(super) fn run(call: &Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let current = call.registry().store.version();
    if let Some(version) = list::version(call)?.filter(|version| *version > current) {
        return Err(Failure::too_large_version(version, current));
    }
    let stored = call.registry().get(call.resource.kind, &call.resource.key())?;
    reply::object(call, StatusCode::OK, &stored, &form)
}
