//! Addresses in texts.

use std::net::IpAddr;

use crate::admission::{FieldError, path::Path};

const INVALID: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// Whether a text is an address; what is wrong is added.
pub(super) fn check(text: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) -> bool {
    let right = text.parse::<IpAddr>().is_ok();
    if !right {
        errors.push(FieldError::invalid(path, text, INVALID));
    }
    right
}

/// Whether traffic may be led to an address (upstream: `ValidateEndpointIP`), and whether to loopback, too.
pub(super) fn check_of_endpoint(
    text: &str,
    may_be_loopback: bool,
    path: &Path<'_>,
    errors: &mut Vec<FieldError>,
) {
    let Ok(ip) = text.parse::<IpAddr>() else {
        errors.push(FieldError::invalid(path, text, "must be a valid IP address"));
        return;
    };
    let (is_link_local, is_local_multicast) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(ip) => (ip.is_unicast_link_local(), ip.segments()[0] & 0xff0f == 0xff02),
    };
    let wrong = [
        (ip.is_unspecified(), "may not be unspecified (0.0.0.0 or ::)"),
        (ip.is_loopback() && !may_be_loopback, "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (is_local_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ];
    let wrong = wrong.into_iter().filter(|(wrong, _)| *wrong);
    errors.extend(wrong.map(|(_, why)| FieldError::invalid(path, text, why)));
}

/// Whether a text is a range of addresses, `10.0.0.0/8`.
pub(super) fn check_range(text: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let is_range = text.split_once('/').is_some_and(|(ip, length)| {
        let bits = ip.parse::<IpAddr>().map(|ip| if ip.is_ipv4() { 32 } else { 128 });
        bits.is_ok_and(|bits| length.parse::<u8>().is_ok_and(|length| length <= bits))
    });
    if !is_range {
        let why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        errors.push(FieldError::invalid(path, text, why));
    }
}
