//! Conversions, sizes, optionals, times.

use super::Line;
use crate::{
    functions::{
        Price::{One, Scan},
        Sized::{Bytes, Text, Unknown},
    },
    library::{access, convert, optionals, time},
};

pub(super) const ROWS: &[Line] = &[
    (
        "size",
        One,
        "
        size_bytes: (bytes) int
        bytes_size: bytes.() int
        size_list: (list(A)) int
        list_size: list(A).() int
        size_map: (map(A, B)) int
        map_size: map(A, B).() int
        size_string: (string) int
        string_size: string.() int
        ",
        access::size,
    ),
    ("type", One, "type: (A) type(A)", convert::of),
    (
        "bool",
        One,
        "
        bool_to_bool: (bool) bool
        string_to_bool: (string) bool
        ",
        convert::to_bool,
    ),
    (
        "bytes",
        Scan(0.1, Bytes),
        "
        bytes_to_bytes: (bytes) bytes
        string_to_bytes: (string) bytes
        ",
        convert::to_bytes,
    ),
    (
        "double",
        One,
        "
        double_to_double: (double) double
        int64_to_double: (int) double
        string_to_double: (string) double
        uint64_to_double: (uint) double
        ",
        convert::to_double,
    ),
    (
        "duration",
        One,
        "
        duration_to_duration: (duration) duration
        int64_to_duration: (int) duration
        string_to_duration: (string) duration
        ",
        convert::to_duration,
    ),
    ("dyn", One, "to_dyn: (A) dyn", convert::dynamic),
    (
        "int",
        One,
        "
        int64_to_int64: (int) int
        double_to_int64: (double) int
        duration_to_int64: (duration) int
        string_to_int64: (string) int
        timestamp_to_int64: (timestamp) int
        uint64_to_int64: (uint) int
        ",
        convert::to_int,
    ),
    (
        "string",
        Scan(0.1, Text),
        "
        string_to_string: (string) string
        bool_to_string: (bool) string
        bytes_to_string: (bytes) string
        double_to_string: (double) string
        duration_to_string: (duration) string
        int64_to_string: (int) string
        timestamp_to_string: (timestamp) string
        uint64_to_string: (uint) string
        ip_to_string: (ip) string
        cidr_to_string: (cidr) string
        ",
        convert::to_string,
    ),
    (
        "timestamp",
        One,
        "
        timestamp_to_timestamp: (timestamp) timestamp
        int64_to_timestamp: (int) timestamp
        string_to_timestamp: (string) timestamp
        ",
        convert::to_timestamp,
    ),
    (
        "uint",
        One,
        "
        uint64_to_uint64: (uint) uint
        double_to_uint64: (double) uint
        int64_to_uint64: (int) uint
        string_to_uint64: (string) uint
        ",
        convert::to_uint,
    ),
    (
        "getFullYear",
        One,
        "
        timestamp_to_year: timestamp.() int
        timestamp_to_year_with_tz: timestamp.(string) int
        ",
        time::year,
    ),
    (
        "getMonth",
        One,
        "
        timestamp_to_month: timestamp.() int
        timestamp_to_month_with_tz: timestamp.(string) int
        ",
        time::month,
    ),
    (
        "getDayOfYear",
        One,
        "
        timestamp_to_day_of_year: timestamp.() int
        timestamp_to_day_of_year_with_tz: timestamp.(string) int
        ",
        time::day_of_year,
    ),
    (
        "getDayOfMonth",
        One,
        "
        timestamp_to_day_of_month: timestamp.() int
        timestamp_to_day_of_month_with_tz: timestamp.(string) int
        ",
        time::day_of_month,
    ),
    (
        "getDate",
        One,
        "
        timestamp_to_day_of_month_1_based: timestamp.() int
        timestamp_to_day_of_month_1_based_with_tz: timestamp.(string) int
        ",
        time::date,
    ),
    (
        "getDayOfWeek",
        One,
        "
        timestamp_to_day_of_week: timestamp.() int
        timestamp_to_day_of_week_with_tz: timestamp.(string) int
        ",
        time::day_of_week,
    ),
    (
        "getHours",
        One,
        "
        timestamp_to_hours: timestamp.() int
        timestamp_to_hours_with_tz: timestamp.(string) int
        duration_to_hours: duration.() int
        ",
        time::hours,
    ),
    (
        "getMinutes",
        One,
        "
        timestamp_to_minutes: timestamp.() int
        timestamp_to_minutes_with_tz: timestamp.(string) int
        duration_to_minutes: duration.() int
        ",
        time::minutes,
    ),
    (
        "getSeconds",
        One,
        "
        timestamp_to_seconds: timestamp.() int
        timestamp_to_seconds_with_tz: timestamp.(string) int
        duration_to_seconds: duration.() int
        ",
        time::seconds,
    ),
    (
        "getMilliseconds",
        One,
        "
        timestamp_to_milliseconds: timestamp.() int
        timestamp_to_milliseconds_with_tz: timestamp.(string) int
        duration_to_milliseconds: duration.() int
        ",
        time::milliseconds,
    ),
    ("optional.of", One, "optional_of: (A) optional(A)", optionals::of),
    ("optional.ofNonZeroValue", One, "optional_ofNonZeroValue: (A) optional(A)", optionals::of_non_zero),
    ("optional.none", One, "optional_none: () optional(A)", optionals::none),
    ("value", One, "optional_value: optional(A).() A", optionals::value),
    ("hasValue", One, "optional_hasValue: optional(A).() bool", optionals::has_value),
    ("or", One, "optional_or_optional: optional(A).(optional(A)) optional(A)", optionals::or),
    ("orValue", One, "optional_orValue_value: optional(A).(A) A", optionals::or_value),
    ("first", One, "list_first: list(A).() optional(A)", optionals::first),
    ("last", One, "list_last: list(A).() optional(A)", optionals::last),
    (
        "optional.unwrap",
        Scan(1.0, Unknown),
        "optional_unwrap: (list(optional(A))) list(A)",
        optionals::unwrap,
    ),
    ("unwrapOpt", Scan(1.0, Unknown), "optional_unwrapOpt: list(optional(A)).() list(A)", optionals::unwrap),
];
