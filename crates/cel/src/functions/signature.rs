//! How a function can be called, as the table writes it: `add_list: (list(A), list(A)) list(A)`, and with a target
//! `starts_with_string: string.(string) bool`.

use super::Overload;
use crate::kind::{OPAQUE, Type};

/// Reads one; the table is the program's own and every line of it is read by a test.
pub(super) fn read(line: &'static str) -> Overload {
    let (id, rest) = line.split_once(": ").unwrap_or_else(|| panic!("{line} has no name"));
    let mut reader = Reader { rest };
    let mut args = Vec::new();
    let member = !rest.starts_with('(');
    if member {
        args.push(reader.of());
        reader.expect(".");
    }
    reader.expect("(");
    while !reader.rest.starts_with(')') {
        args.push(reader.of());
        reader.rest = reader.rest.trim_start_matches(", ");
    }
    reader.expect(") ");
    let result = reader.of();
    Overload { id, member, args, result }
}

struct Reader {
    rest: &'static str,
}

impl Reader {
    fn expect(&mut self, text: &str) {
        self.rest =
            self.rest.strip_prefix(text).unwrap_or_else(|| panic!("{text:?} instead of {:?}", self.rest));
    }

    fn of(&mut self) -> Type {
        let end = self.rest.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match name {
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::String,
            "bytes" => Type::Bytes,
            "timestamp" => Type::Timestamp,
            "duration" => Type::Duration,
            "dyn" => Type::Dyn,
            "A" => Type::Param(0),
            "B" => Type::Param(1),
            "list" => Type::list(self.inner()),
            "optional" => Type::optional(self.inner()),
            "type" => Type::Type(Some(self.inner().into())),
            "map" => {
                self.expect("(");
                let key = self.of();
                self.expect(", ");
                let value = self.of();
                self.expect(")");
                Type::map(key, value)
            }
            other => {
                let known = OPAQUE.iter().find(|(short, _)| *short == other);
                Type::Opaque(known.unwrap_or_else(|| panic!("{other} is not a type")).1)
            }
        }
    }

    fn inner(&mut self) -> Type {
        self.expect("(");
        let of = self.of();
        self.expect(")");
        of
    }
}
