//! `'%s has %d'.format([…])` (upstream: cel-go, `ext/formatting.go`).

use std::fmt::Write as _;

use super::convert;
use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::Value,
};

/// How many digits there may be after the point.
const PRECISION_MAX: usize = 1000;

pub(crate) fn format<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [Value::String(pattern), Value::List(values)] = args else { return Err(Failure::no_overload()) };
    let mut values = values.items();
    let mut out = Out { text: String::new(), budget };
    let mut rest: &str = pattern;
    let mut at = 0;
    while let Some((before, after)) = rest.split_once('%') {
        out.push(before)?;
        if let Some(after) = after.strip_prefix('%') {
            out.push("%")?;
            rest = after;
            continue;
        }
        let (precision, after) = precision(after)?;
        let Some(clause) = after.chars().next() else {
            return Err(Failure::error("unexpected end of string"));
        };
        let value = values.next().ok_or_else(|| Failure::error(format!("index {at} out of range")))??;
        at += 1;
        out.clause(clause, precision, &value)?;
        rest = &after[clause.len_utf8()..];
    }
    out.push(rest)?;
    if values.next().is_some() {
        return Err(Failure::error(format!("too many arguments supplied to string.format (expected {at})")));
    }
    Ok(out.text.into())
}

fn precision(text: &str) -> Result<(Option<usize>, &str), Failure> {
    let Some(after) = text.strip_prefix('.') else { return Ok((None, text)) };
    let end = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(after.len());
    let (digits, rest) = after.split_at(end);
    let number = digits.parse().ok().filter(|number| *number <= PRECISION_MAX);
    let number = number.ok_or_else(|| Failure::error("error while parsing precision"))?;
    Ok((Some(number), rest))
}

struct Out<'b> {
    text: String,
    budget: &'b mut Budget,
}

impl Out<'_> {
    fn push(&mut self, text: &str) -> Result<(), Failure> {
        self.budget.make(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn clause(&mut self, clause: char, precision: Option<usize>, value: &Value<'_>) -> Result<(), Failure> {
        let digits = precision.unwrap_or(6);
        let wrong = |takes: &str| {
            let found = value.of();
            Failure::error(format!(
                "error during formatting: {takes} clause can only be used on other types, was given {}",
                found.name()
            ))
        };
        let text = match (clause, value) {
            ('s', value) => return self.text_of(value, false),
            ('d', Value::Int(number)) => number.to_string(),
            ('d', Value::Uint(number)) => number.to_string(),
            ('d', _) => return Err(wrong("decimal")),
            ('f', Value::Double(number)) => format!("{number:.digits$}"),
            ('f', _) => return Err(wrong("fixed-point")),
            ('e', Value::Double(number)) => {
                let text = format!("{number:.digits$e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
                format!("{digits}e{sign}{exponent:0>2}")
            }
            ('e', _) => return Err(wrong("scientific")),
            ('b', Value::Int(number)) => signed(*number, |number| format!("{number:b}")),
            ('b', Value::Uint(number)) => format!("{number:b}"),
            ('b', Value::Bool(value)) => u8::from(*value).to_string(),
            ('b', _) => return Err(wrong("binary")),
            ('o', Value::Int(number)) => signed(*number, |number| format!("{number:o}")),
            ('o', Value::Uint(number)) => format!("{number:o}"),
            ('o', _) => return Err(wrong("octal")),
            ('x' | 'X', value) => {
                let text = hex(value).ok_or_else(|| wrong("hex"))?;
                if clause == 'X' { text.to_uppercase() } else { text }
            }
            _ => {
                return Err(Failure::error(format!(
                    "could not parse formatting clause: unrecognized formatting clause \"{clause}\""
                )));
            }
        };
        self.push(&text)
    }

    /// A value as `%s` has it. `within`: in a list or a map, where texts have quotes.
    fn text_of(&mut self, value: &Value<'_>, within: bool) -> Result<(), Failure> {
        self.budget.step(1)?;
        match value {
            Value::Null => self.push("null"),
            Value::String(text) if within => self.push(&format!("{:?}", &**text)),
            Value::Double(number) if within => self.push(&format!("{number:.6}")),
            Value::Duration(_) | Value::Timestamp(_) if within => {
                let name = if matches!(value, Value::Duration(_)) { "duration" } else { "timestamp" };
                let text = convert::text(value).unwrap_or_default();
                self.push(&format!("{name}(\"{text}\")"))
            }
            Value::List(list) => {
                self.push("[")?;
                for (at, item) in list.items().enumerate() {
                    if at > 0 {
                        self.push(", ")?;
                    }
                    self.text_of(&item?, true)?;
                }
                self.push("]")
            }
            Value::Map(map) => {
                self.push("{")?;
                for (at, key) in map.keys().iter().enumerate() {
                    if at > 0 {
                        self.push(", ")?;
                    }
                    self.text_of(&key.value(), true)?;
                    self.push(":")?;
                    if let Some(value) = map.find(key) {
                        self.text_of(&value?, true)?;
                    }
                }
                self.push("}")
            }
            value => {
                let text = convert::text(value).ok_or_else(|| {
                    Failure::error(format!(
                        "error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given {}",
                        value.of().name()
                    ))
                })?;
                self.push(&text)
            }
        }
    }
}

fn signed(number: i64, text: impl Fn(u64) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", text(number.unsigned_abs()))
}

fn hex(value: &Value<'_>) -> Option<String> {
    let of_bytes = |bytes: &[u8]| {
        let mut text = String::new();
        for byte in bytes {
            _ = write!(text, "{byte:02x}");
        }
        text
    };
    Some(match value {
        Value::Int(number) => signed(*number, |number| format!("{number:x}")),
        Value::Uint(number) => format!("{number:x}"),
        Value::String(text) => of_bytes(text.as_bytes()),
        Value::Bytes(bytes) => of_bytes(bytes),
        _ => return None,
    })
}
