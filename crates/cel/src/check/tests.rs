use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    declared::{Declared, Field, Lists},
    library::patterns::each_alone,
    limits::{CHARS_MAX, LEVELS_MAX},
    program::Program,
};

fn compile(text: &str) -> Result<Program, String> {
    let simple = |of: Type| Declared::simple(of, 10, 2);
    let fields = [
        ("name", simple(Type::String)),
        ("size", simple(Type::Int)),
        ("tags", Declared::list(simple(Type::String), 10, Lists::Atomic)),
        ("any", simple(Type::Dyn)),
    ];
    let fields = fields.into_iter().map(|(name, declared)| {
        (name.to_owned(), Field { name: name.to_owned(), declared: Arc::new(declared) })
    });
    let declared = Declared::object("selfType", fields.collect::<BTreeMap<_, _>>(), 2);
    Program::compile(text, &[("self", declared.of().clone())], &mut each_alone)
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let cases = [
        ("self.foo > 1", "ERROR: <input>:1:5: undefined field 'foo'\n | self.foo > 1\n | ....^"),
        (
            "self.size > 'a'",
            "ERROR: <input>:1:11: found no matching overload for '_>_' applied to '(int, string)'\n | self.size > 'a'\n | ..........^",
        ),
        (
            "self.size.startsWith('a')",
            "ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to 'int.(string)'\n | self.size.startsWith('a')\n | ....................^",
        ),
        ("other", "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')\n | other\n | ^"),
        (
            "nothing(1)",
            "ERROR: <input>:1:8: undeclared reference to 'nothing' (in container '')\n | nothing(1)\n | .......^",
        ),
        (
            "self.size.all(x, true)",
            "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.size.all(x, true)\n | ....^",
        ),
        (
            "self.size && true",
            "ERROR: <input>:1:5: expected type 'bool' but found 'int'\n | self.size && true\n | ....^",
        ),
        (
            "[1, 'a'].size() > 0",
            "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a'].size() > 0\n | ....^",
        ),
        (
            "self.size.foo == 1",
            "ERROR: <input>:1:10: type 'int' does not support field selection\n | self.size.foo == 1\n | .........^",
        ),
        (
            "self.name.matches('[')",
            "ERROR: <input>:1:19: invalid matches argument\n | self.name.matches('[')\n | ..................^",
        ),
        ("true &&\n  self.foo", "ERROR: <input>:2:7: undefined field 'foo'\n |   self.foo\n | ......^"),
    ];
    for (text, expect) in cases {
        assert_eq!(compile(text).unwrap_err(), expect);
    }
}

#[test]
fn what_no_expression_is_is_refused() {
    let texts = [
        "",
        "self.",
        "1 +",
        "(1",
        "[1",
        "{1",
        "'a",
        "a b",
        "a ? b",
        "1 = 1",
        "x.all(1, true)",
        "has(self)",
        "if",
        "1..2",
        "self.name = 'a'",
        "\"\\q\"",
        "99999999999999999999",
        "self.size++",
        "@",
        "a &&& b",
        "in",
        ".",
        "-",
    ];
    for text in texts {
        assert!(compile(text).unwrap_err().starts_with("ERROR: <input>:1:"), "{text}");
    }
}

#[test]
fn types_are_found() {
    let cases = [
        ("self.tags.map(t, t.size())", "list(int)"),
        ("self.tags.filter(t, t == '')", "list(string)"),
        ("{'a': 1}", "map(string, int)"),
        ("self.?name", "optional_type(string)"),
        ("self.any", "dyn"),
        ("[]", "list(dyn)"),
        ("true ? 1 : 2", "int"),
        ("type(1)", "type(int)"),
        ("self.any + 1", "int"),
        ("timestamp('2024-01-01T00:00:00Z')", "timestamp"),
    ];
    for (text, expect) in cases {
        assert_eq!(compile(text).unwrap().of().to_string(), expect, "{text}");
    }
}

#[test]
fn expressions_are_neither_too_long_nor_too_deep() {
    let nested = |levels: usize| format!("{}true{}", "(".repeat(levels), ")".repeat(levels));
    assert!(compile(&nested(LEVELS_MAX - 5)).is_ok());
    let chain = |terms: usize| vec!["1"; terms].join("+");
    assert!(compile(&chain(LEVELS_MAX - 5)).is_ok());
    let deep = [
        nested(LEVELS_MAX + 5),
        chain(LEVELS_MAX + 5),
        nested(20_000),
        "!-".repeat(20_000),
        "[".repeat(20_000),
    ];
    for text in deep.into_iter().chain(["a?".repeat(20_000), "a.b".to_owned() + &".c".repeat(20_000)]) {
        assert!(compile(&text).is_err(), "{}", &text[..20]);
    }
    let long = |chars: usize| format!("'{}' == ''", "é".repeat(chars - 8));
    assert!(compile(&long(CHARS_MAX)).is_ok());
    assert!(compile(&long(CHARS_MAX + 1)).unwrap_err().contains("size exceeds limit"));
    // Many terms beside each other are fine.
    assert!(compile(&vec!["true"; 10_000].join("&&")).is_ok());
}

#[test]
fn types_do_not_grow_with_every_map_that_is_a_key() {
    // As deep as an expression may be, so that nothing but the types is looked at.
    let maps = LEVELS_MAX - 10;
    let more: String = (0..maps).map(|at| format!(".map(x{at}, {{x{at}: x{at}}})")).collect();
    let found = compile(&format!("[1]{more}")).unwrap().of().to_string();
    assert!(found.starts_with("list(map(") && found.len() < maps * 20, "{found}");
}
