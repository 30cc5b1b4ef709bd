//! Formats of texts (upstream: kube-openapi, `validation/strfmt`). A format that is not known here says nothing, as
//! upstream has it for those that it does not know, and for those of numbers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::Regex;
/// Formats whose texts are not looked at beside those that are.
const LOOSE: [&str; 8] =
    ["bsonobjectid", "creditcard", "isbn", "isbn10", "isbn13", "password", "rgbcolor", "ssn"];
const CHECKED: [&str; 18] = [
    "byte",
    "cidr",
    "date",
    "datetime",
    "duration",
    "email",
    "hexcolor",
    "hostname",
    "ipv4",
    "ipv6",
    "k8slongname",
    "k8sshortname",
    "mac",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// Whether a format of texts means anything.
pub(crate) fn is_format(format: &str) -> bool {
    let format = format.replace('-', "");
    LOOSE.contains(&format.as_str()) || CHECKED.contains(&format.as_str())
}

/// Whether a text has a format.
pub(super) fn matches(format: &str, text: &str) -> bool {
    match format.replace('-', "").as_str() {
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "k8sshortname" => crate::names::dns::label(text).is_empty(),
        "k8slongname" => crate::names::dns::subdomain(text).is_empty(),
        "cidr" => is_cidr(text),
        "mac" => MAC.is_match(text),
        "uuid" => UUID.is_match(text),
        "uuid3" => is_uuid(text, '3'),
        "uuid4" => is_uuid(text, '4'),
        "uuid5" => is_uuid(text, '5'),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "datetime" => is_date_time(text),
        "byte" => !text.is_empty() && BASE64_STANDARD.decode(text).is_ok(),
        "hostname" => HOSTNAME.is_match(text) && text.len() <= 255,
        "email" => EMAIL.is_match(text),
        "uri" => URI.is_match(text),
        "hexcolor" => HEX_COLOR.is_match(text),
        "duration" => crate::duration::parse(text).is_some(),
        _ => true,
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let max = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= max)
}

fn is_uuid(text: &str, version: char) -> bool {
    UUID.is_match(text) && text.replace('-', "").chars().nth(12) == Some(version)
}

fn is_date_time(text: &str) -> bool {
    text.len() > 10
        && text.as_bytes()[10].eq_ignore_ascii_case(&b't')
        && text.parse::<jiff::Timestamp>().is_ok()
}

macro_rules! patterns {
    ($($name:ident: $pattern:literal;)*) => {
        $(static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("the pattern is tested"));)*
    };
}

patterns! {
    MAC: r"^(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$";
    UUID: r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
    HOSTNAME: r"^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$";
    EMAIL: r"^[^@\s]+@[^@\s]+$";
    URI: r"^([a-zA-Z][a-zA-Z0-9+.-]*:|/)\S*$";
    HEX_COLOR: r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_formats() {
        let cases = [
            ("ipv4", "10.0.0.1", true),
            ("ipv4", "10.0.0", false),
            ("ipv6", "::1", true),
            ("cidr", "10.0.0.0/8", true),
            ("cidr", "10.0.0.0/33", false),
            ("mac", "01:23:45:67:89:ab", true),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", true),
            ("uuid4", "123e4567-e89b-12d3-a456-426614174000", false),
            ("date", "2026-11-24", true),
            ("date", "2026-13-24", false),
            ("date-time", "2026-11-24T01:02:03Z", true),
            ("date-time", "2026-11-24", false),
            ("byte", "aGVsbG8=", true),
            ("byte", "?", false),
            ("hostname", "a.example.com", true),
            ("hostname", "a b", false),
            ("email", "a@example.com", true),
            ("email", "a", false),
            ("uri", "https://example.com/a", true),
            ("uri", "a b", false),
            ("hexcolor", "#fff", true),
            ("hexcolor", "white", false),
            ("duration", "1h30m", true),
            ("duration", "soon", false),
            ("whatever", "anything", true),
        ];
        for (format, text, expect) in cases {
            assert_eq!(matches(format, text), expect, "{format}: {text}");
        }
    }
}
