//! As much JSON as an object of strings needs.

use std::fmt::Write;

pub(crate) fn object<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{}:{}", string(name), string(value))).collect();
    format!("{{{}}}\n", members.join(","))
}

fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[test]
fn strings_are_escaped() {
    assert_eq!(object([("a", "b\"\\\n"), ("ü", "")]), "{\"a\":\"b\\\"\\\\\\u000a\",\"ü\":\"\"}\n");
}
