//! Texts and patterns.

use super::Line;
use crate::{
    functions::{
        Price::{Contains, Join, One, Pattern, Scan, Walk},
        Sized::{Affix, Quoted, Replaced, Same, Split, Unknown},
    },
    library::{format, lists, patterns, texts},
};

pub(super) const ROWS: &[Line] = &[
    ("contains", Contains, "contains_string: string.(string) bool", texts::contains),
    ("startsWith", Scan(0.1, Affix), "starts_with_string: string.(string) bool", texts::starts_with),
    ("endsWith", Scan(0.1, Affix), "ends_with_string: string.(string) bool", texts::ends_with),
    (
        "matches",
        Pattern,
        "
        matches: (string, string) bool
        matches_string: string.(string) bool
        ",
        patterns::matches,
    ),
    ("find", Pattern, "string_find_string: string.(string) string", patterns::find),
    (
        "findAll",
        Pattern,
        "
        string_find_all_string: string.(string) list(string)
        string_find_all_string_int: string.(string, int) list(string)
        ",
        patterns::find_all,
    ),
    ("charAt", One, "string_char_at_int: string.(int) string", texts::char_at),
    (
        "indexOf",
        Walk,
        "
        string_index_of_string: string.(string) int
        string_index_of_string_int: string.(string, int) int
        list_a_index_of_int: list(A).(A) int
        ",
        lists::index_of,
    ),
    (
        "lastIndexOf",
        Walk,
        "
        string_last_index_of_string: string.(string) int
        string_last_index_of_string_int: string.(string, int) int
        list_a_last_index_of_int: list(A).(A) int
        ",
        lists::last_index_of,
    ),
    ("lowerAscii", Scan(0.1, Same), "string_lower_ascii: string.() string", texts::lower),
    ("upperAscii", Scan(0.1, Same), "string_upper_ascii: string.() string", texts::upper),
    ("trim", Scan(0.1, Same), "string_trim: string.() string", texts::trim),
    (
        "substring",
        Scan(0.1, Same),
        "
        string_substring_int: string.(int) string
        string_substring_int_int: string.(int, int) string
        ",
        texts::substring,
    ),
    (
        "replace",
        Scan(0.2, Replaced),
        "
        string_replace_string_string: string.(string, string) string
        string_replace_string_string_int: string.(string, string, int) string
        ",
        texts::replace,
    ),
    (
        "split",
        Scan(0.2, Split),
        "
        string_split_string: string.(string) list(string)
        string_split_string_int: string.(string, int) list(string)
        ",
        texts::split,
    ),
    (
        "join",
        Join,
        "
        list_join: list(string).() string
        list_join_string: list(string).(string) string
        ",
        texts::join,
    ),
    ("format", Scan(0.1, Unknown), "string_format: string.(list(dyn)) string", format::format),
    ("strings.quote", Scan(0.1, Quoted), "strings_quote: (string) string", texts::quote),
    (
        "isSorted",
        Walk,
        "
        list_int_is_sorted_bool: list(int).() bool
        list_uint_is_sorted_bool: list(uint).() bool
        list_double_is_sorted_bool: list(double).() bool
        list_bool_is_sorted_bool: list(bool).() bool
        list_duration_is_sorted_bool: list(duration).() bool
        list_timestamp_is_sorted_bool: list(timestamp).() bool
        list_string_is_sorted_bool: list(string).() bool
        list_bytes_is_sorted_bool: list(bytes).() bool
        ",
        lists::is_sorted,
    ),
    (
        "sum",
        Walk,
        "
        list_int_sum_int: list(int).() int
        list_uint_sum_uint: list(uint).() uint
        list_double_sum_double: list(double).() double
        list_duration_sum_duration: list(duration).() duration
        ",
        lists::sum,
    ),
    (
        "max",
        Walk,
        "
        list_int_max_int: list(int).() int
        list_uint_max_uint: list(uint).() uint
        list_double_max_double: list(double).() double
        list_bool_max_bool: list(bool).() bool
        list_duration_max_duration: list(duration).() duration
        list_timestamp_max_timestamp: list(timestamp).() timestamp
        list_string_max_string: list(string).() string
        list_bytes_max_bytes: list(bytes).() bytes
        ",
        lists::max,
    ),
    (
        "min",
        Walk,
        "
        list_int_min_int: list(int).() int
        list_uint_min_uint: list(uint).() uint
        list_double_min_double: list(double).() double
        list_bool_min_bool: list(bool).() bool
        list_duration_min_duration: list(duration).() duration
        list_timestamp_min_timestamp: list(timestamp).() timestamp
        list_string_min_string: list(string).() string
        list_bytes_min_bytes: list(bytes).() bytes
        ",
        lists::min,
    ),
    ("sets.contains", One, "list_sets_contains_list: (list(A), list(A)) bool", lists::all_in),
    ("sets.equivalent", One, "list_sets_equivalent_list: (list(A), list(A)) bool", lists::equivalent),
    ("sets.intersects", One, "list_sets_intersects_list: (list(A), list(A)) bool", lists::intersects),
];
