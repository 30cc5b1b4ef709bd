//! GET of one object.

use http::{Response, StatusCode};

use super::{call::Call, reply};
use crate::{mount::Body, status::Failure};

pub(super) fn run(call: &Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let stored = call.registry().get(call.resource.kind, &call.resource.key())?;
    reply::object(call, StatusCode::OK, &stored, &form)
}
