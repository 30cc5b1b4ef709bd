//! What Kubernetes adds: addresses, quantities, versions, URLs, formats.

use super::Line;
use crate::{
    functions::{
        Price::{Block, One, Scan, Validate},
        Sized::Unknown,
    },
    library::{address, named_format, order, quantity, semver, url},
};

pub(super) const ROWS: &[Line] = &[
    ("url", Scan(0.1, Unknown), "string_to_url: (string) url", url::url),
    ("isURL", One, "is_url_string: (string) bool", url::is_url),
    ("getScheme", One, "url_get_scheme: url.() string", url::scheme),
    ("getHost", One, "url_get_host: url.() string", url::host),
    ("getHostname", One, "url_get_hostname: url.() string", url::hostname),
    ("getPort", One, "url_get_port: url.() string", url::port),
    ("getEscapedPath", One, "url_get_escaped_path: url.() string", url::escaped_path),
    ("getQuery", One, "url_get_query: url.() map(string, list(string))", url::query),
    ("quantity", Scan(0.1, Unknown), "string_to_quantity: (string) quantity", quantity::quantity),
    ("isQuantity", Scan(0.1, Unknown), "is_quantity_string: (string) bool", quantity::is_quantity),
    ("sign", One, "quantity_sign: (quantity) int", quantity::sign),
    ("isInteger", One, "quantity_is_integer: quantity.() bool", quantity::is_integer),
    ("asInteger", One, "quantity_get_int: quantity.() int", quantity::as_integer),
    ("asApproximateFloat", One, "quantity_get_float: quantity.() double", quantity::as_approximate_float),
    (
        "add",
        One,
        "
        quantity_add: quantity.(quantity) quantity
        quantity_add_int: quantity.(int) quantity
        ",
        quantity::add,
    ),
    (
        "sub",
        One,
        "
        quantity_sub: quantity.(quantity) quantity
        quantity_sub_int: quantity.(int) quantity
        ",
        quantity::sub,
    ),
    (
        "isGreaterThan",
        One,
        "
        quantity_is_greater_than: quantity.(quantity) bool
        semver_is_greater_than: semver.(semver) bool
        ",
        order::is_greater_than,
    ),
    (
        "isLessThan",
        One,
        "
        quantity_is_less_than: quantity.(quantity) bool
        semver_is_less_than: semver.(semver) bool
        ",
        order::is_less_than,
    ),
    (
        "compareTo",
        One,
        "
        quantity_compare_to: quantity.(quantity) int
        semver_compare_to: semver.(semver) int
        ",
        order::compare_to,
    ),
    (
        "semver",
        Scan(0.1, Unknown),
        "
        string_to_semver: (string) semver
        string_bool_to_semver: (string, bool) semver
        ",
        semver::semver,
    ),
    (
        "isSemver",
        Scan(0.1, Unknown),
        "
        is_semver_string: (string) bool
        is_semver_string_bool: (string, bool) bool
        ",
        semver::is_semver,
    ),
    ("major", One, "semver_major: semver.() int", semver::major),
    ("minor", One, "semver_minor: semver.() int", semver::minor),
    ("patch", One, "semver_patch: semver.() int", semver::patch),
    (
        "ip",
        Scan(0.1, Unknown),
        "
        string_to_ip: (string) ip
        cidr_ip: cidr.() ip
        ",
        address::ip,
    ),
    ("isIP", Scan(0.1, Unknown), "is_ip: (string) bool", address::is_ip),
    ("ip.isCanonical", Scan(0.2, Unknown), "ip_is_canonical: (string) bool", address::is_canonical),
    ("family", One, "ip_family: ip.() int", address::family),
    ("isUnspecified", One, "ip_is_unspecified: ip.() bool", address::is_unspecified),
    ("isLoopback", One, "ip_is_loopback: ip.() bool", address::is_loopback),
    ("isLinkLocalMulticast", One, "ip_is_link_local_multicast: ip.() bool", address::is_link_local_multicast),
    ("isLinkLocalUnicast", One, "ip_is_link_local_unicast: ip.() bool", address::is_link_local_unicast),
    ("isGlobalUnicast", One, "ip_is_global_unicast: ip.() bool", address::is_global_unicast),
    ("cidr", Scan(0.1, Unknown), "string_to_cidr: (string) cidr", address::cidr),
    ("isCIDR", Scan(0.1, Unknown), "is_cidr: (string) bool", address::is_cidr),
    (
        "containsIP",
        Block,
        "
        cidr_contains_ip_string: cidr.(string) bool
        cidr_contains_ip_ip: cidr.(ip) bool
        ",
        address::contains_ip,
    ),
    (
        "containsCIDR",
        Block,
        "
        cidr_contains_cidr_string: cidr.(string) bool
        cidr_contains_cidr: cidr.(cidr) bool
        ",
        address::contains_cidr,
    ),
    ("prefixLength", One, "cidr_prefix_length: cidr.() int", address::prefix_length),
    ("masked", One, "cidr_masked: cidr.() cidr", address::masked),
    ("format.named", One, "format-named: (string) optional(format)", named_format::named),
    ("validate", Validate, "format-validate: format.(string) optional(list(string))", named_format::validate),
    ("format.dns1123Label", One, "format.dns1123Label: () format", named_format::dns_1123_label),
    ("format.dns1123Subdomain", One, "format.dns1123Subdomain: () format", named_format::dns_1123_subdomain),
    ("format.dns1035Label", One, "format.dns1035Label: () format", named_format::dns_1035_label),
    ("format.qualifiedName", One, "format.qualifiedName: () format", named_format::qualified_name),
    (
        "format.dns1123LabelPrefix",
        One,
        "format.dns1123LabelPrefix: () format",
        named_format::dns_1123_label_prefix,
    ),
    (
        "format.dns1123SubdomainPrefix",
        One,
        "format.dns1123SubdomainPrefix: () format",
        named_format::dns_1123_subdomain_prefix,
    ),
    (
        "format.dns1035LabelPrefix",
        One,
        "format.dns1035LabelPrefix: () format",
        named_format::dns_1035_label_prefix,
    ),
    ("format.labelValue", One, "format.labelValue: () format", named_format::label_value),
    ("format.uri", One, "format.uri: () format", named_format::uri),
    ("format.uuid", One, "format.uuid: () format", named_format::uuid),
    ("format.byte", One, "format.byte: () format", named_format::byte),
    ("format.date", One, "format.date: () format", named_format::date),
    ("format.datetime", One, "format.datetime: () format", named_format::date_time),
];
