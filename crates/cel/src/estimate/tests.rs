use std::{collections::BTreeMap, sync::Arc};

use crate::{
    declared::{Declared, Field, Lists},
    kind::Type,
    library::patterns::each_alone,
    program::Program,
};

/// A body without quotes, which is what a text is at most.
const UNBOUNDED: u64 = (3 << 20) - 2;

fn declared() -> Declared {
    let fields = [
        ("int", Declared::simple(Type::Int, 0, 1)),
        ("text", Declared::simple(Type::String, UNBOUNDED, 2)),
        ("short", Declared::simple(Type::String, 40, 2)),
        ("list", Declared::list(Declared::simple(Type::Int, 0, 1), 10, Lists::Atomic)),
        ("texts", Declared::list(Declared::simple(Type::String, 40, 2), 5, Lists::Atomic)),
    ];
    let fields = fields.into_iter().map(|(name, declared)| {
        (name.to_owned(), Field { name: name.to_owned(), declared: Arc::new(declared) })
    });
    Declared::object("self", fields.collect::<BTreeMap<_, _>>(), 2)
}

#[test]
fn costs_are_upstreams() {
    let cases = [
        ("true", 0),
        ("self.int == 3", 2),
        ("self.int > 3", 3),
        ("self.int > 3 && self.int < 7", 6),
        ("has(self.text)", 1),
        ("self.short == 'abcdefghijk'", 4),
        ("self.text == self.text", 314_577),
        ("self.short.startsWith('abc')", 3),
        ("self.short.contains('abc')", 6),
        ("self.short.matches('^[a-z]+$')", 12),
        ("self.list.all(x, x > 0)", 53),
        ("self.list.exists_one(x, x == 1)", 34),
        ("self.texts.all(t, t.size() > 3)", 33),
        ("self.int in [1, 2, 3]", 15),
        ("self.list[0] == 1", 3),
        ("self.list.all(x, self.list.all(y, x != y))", 563),
        ("self.list.map(x, x).size() > 0", 145),
        ("self.list.filter(x, x > 1).size() > 0", 165),
        ("self.texts.exists(t, t.startsWith('a'))", 33),
        ("self.text.size() > 0", 4),
        ("self.text.split(',').all(x, x.size() > 0)", 19_503_505),
        ("self.texts.join(',').contains('a')", 44),
        ("(self.text + 'a').startsWith('b')", 314_576),
        ("self.text.lowerAscii() == 'a'", 314_576),
        ("self.list.sum() > 1", 13),
        ("self.texts.isSorted()", 27),
        ("self.list.indexOf(1) == 2", 13),
        ("self.text.replace('a', 'bb') == 'x'", 629_149),
        ("url(self.text).getHost() == 'a'", 314_577),
        ("isQuantity(self.short)", 6),
        ("self.short in self.texts", 9),
        ("self.short > 'a'", 3),
        ("self.texts == ['a']", 13),
        ("self.list.map(x, string(x)).exists(s, s == '1')", 204),
        ("sets.contains(self.list, [1])", 23),
        ("self.short.matches(self.short)", 54),
        ("self.texts.map(t, t.split('-')).exists(l, l.size() > 1)", 154),
        ("self.?short.orValue('') == 'a'", 4),
        ("(self.int > 1 ? self.short : self.text) == 'a'", 6),
        ("self.texts[0].startsWith('a')", 4),
        ("{'a': self.short}.a == 'b'", 33),
        ("[self.short, 'a'].exists(x, x == 'b')", 23),
        ("self.list.all(i, v, i < v)", 63),
        ("self.texts.filter(t, t != 'a').all(t, t.size() > 1)", 119),
    ];
    let root = declared();
    for (text, expect) in cases {
        let program = Program::compile(text, &[("self", root.of().clone())], &mut each_alone).unwrap();
        assert_eq!(program.cost_max(&root), expect, "{text}");
    }
}
