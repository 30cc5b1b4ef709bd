use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    declared::{Declared, Field, Lists},
    kind::Type,
    library::patterns::each_alone,
    limits::{BYTES_MAX, COST_MAX, STEPS_MAX},
    program::Program,
};

fn none(_: &str, _: &str) -> Option<Vec<String>> {
    None
}

fn simple(of: Type) -> Declared {
    Declared::simple(of, 1000, 2)
}

fn object(name: &str, fields: Vec<(&str, Declared)>) -> Declared {
    let field = |(name, declared): (&str, Declared)| {
        (crate::escape(name).unwrap(), Field { name: name.into(), declared: Arc::new(declared) })
    };
    Declared::object(name, fields.into_iter().map(field).collect::<BTreeMap<_, _>>(), 2)
}

/// What the tests' expressions speak of.
fn declared() -> Declared {
    let item = || object("self.items", vec![("name", simple(Type::String)), ("size", simple(Type::Int))]);
    object(
        "self",
        vec![
            ("replicas", simple(Type::Int)),
            ("ratio", simple(Type::Double)),
            ("name", simple(Type::String)),
            ("missing", simple(Type::String)),
            ("null", simple(Type::String)),
            ("port", simple(Type::Dyn)),
            ("flag", simple(Type::Bool)),
            ("when", simple(Type::Timestamp)),
            ("wait", simple(Type::Duration)),
            ("data", simple(Type::Bytes)),
            ("tags", Declared::list(simple(Type::String), 10, Lists::Set)),
            ("list", Declared::list(simple(Type::Int), 100_000, Lists::Atomic)),
            ("items", Declared::list(item(), 10, Lists::Map(vec!["name".into()]))),
            ("labels", Declared::map(simple(Type::String), 10)),
            ("namespace", simple(Type::String)),
            ("a-b", simple(Type::Int)),
        ],
    )
}

fn sample() -> Json {
    json!({
        "replicas": 3, "ratio": 2, "name": "héllo", "null": null, "port": "80%", "flag": true,
        "when": "2024-02-29T12:30:15.5Z", "wait": "1h30m", "data": "aGk=", "tags": ["a", "b"], "list": [3, 1, 2],
        "items": [{"name": "x", "size": 1}, {"name": "y", "size": 2, "more": 3}],
        "labels": {"app": "web", "tier": "front"}, "namespace": "ns", "a-b": 7,
    })
}

fn run(text: &str, budget: &mut Budget) -> Result<String, String> {
    let (declared, sample) = (declared(), sample());
    let program = Program::compile(text, &[("self", declared.of().clone())], &mut each_alone)?;
    let variables = [("self", Value::of_json(&sample, &declared).unwrap())];
    let answer = program.evaluate(&variables, budget);
    answer.map(|value| format!("{value:?}")).map_err(|failure| failure.to_string())
}

fn check(expression: &str) {
    assert_eq!(run(expression, &mut Budget::new(none)), Ok("Bool(true)".into()), "{expression}");
}

#[test]
fn expressions_have_their_values() {
    let cases = "
        1 + 2 * 3 == 7 && 7 / 2 == 3 && -7 % 3 == -1 && 2.0 * 1.5 == 3.0
        0x10 == 16 && 5u == 5u && 1.5e3 == 1500.0 && -9223372036854775808 < 0
        'a' + 'b' == 'ab' && b'a' + b'b' == b'ab' && [1] + [2] == [1, 2] && ([1] + [2])[1] == 2
        'a\\tb' == \"a\tb\" && r'a\\b' == 'a\\\\b' && '''x'y''' == 'x\\'y' && '\\u00e9' == 'é' && b'\\xff'.size() == 1
        1 < 2.5 && 2u > 1 && dyn(1) == dyn(1.0) && 'a' < 'b' && false < true
        true || 1 / 0 == 1
        1 / 0 == 1 || true
        !(false && 1 / 0 == 1)
        true ? true : 1 / 0 == 1
        1 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1}
        {'a': 1, 'b': 2}['b'] == 2 && {'a': 1}.a == 1 && {1: 'x'}[1] == 'x' && {'a': 1, 'a': 2}.a == 2
        size('héllo') == 5 && [1, 2].size() == 2 && size({'a': 1}) == 1 && b'hi'.size() == 2
        self.replicas == 3 && self.ratio == 2.0 && self.name == 'héllo' && self.flag
        self.__namespace__ == 'ns' && self.a__dash__b == 7
        has(self.replicas) && !has(self.missing) && has(self.labels.app) && !has(self.labels.other)
        self.port == '80%' && type(self.port) == string && type(self.replicas) == int && type(1.0) == double
        self.list.all(x, x > 0) && self.list.exists(x, x == 2) && self.list.exists_one(x, x == 1)
        self.list.map(x, x * 2) == [6, 2, 4] && self.list.filter(x, x > 1) == [3, 2]
        self.list.map(x, x > 1, x * 2) == [6, 4] && [].all(x, false) && ![].exists(x, true)
        [1, 0].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)
        self.labels.all(k, k in ['app', 'tier']) && self.labels.exists(k, self.labels[k] == 'web')
        self.labels.all(k, v, v != '') && [5, 6].exists(i, v, i == 1 && v == 6)
        [1, 2].transformList(i, v, i + v) == [1, 3] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}
        [1, 2].transformMapEntry(i, v, {v: i}) == {1: 0, 2: 1}
        self.tags == ['b', 'a'] && self.tags + ['a', 'c'] == ['a', 'b', 'c']
        self.items.exists(i, i.name == 'y' && i.size == 2)
        self.items.map(i, i.size).sum() == 3 && self.list.max() == 3 && self.list.min() == 1 && ![3, 1].isSorted()
        [1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && [1].indexOf(9) == -1
        'tacocat'.indexOf('ac') == 1 && 'tacocat'.lastIndexOf('t') == 6 && 'tacocat'.indexOf('a', 2) == 5
        'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'héllo'.charAt(1) == 'é'
        ' x '.trim() == 'x' && 'aB'.lowerAscii() == 'ab' && 'aB'.upperAscii() == 'AB'
        'a-b-c'.replace('-', '_') == 'a_b_c' && 'a-b-c'.replace('-', '_', 1) == 'a_b-c'
        'a,b'.split(',') == ['a', 'b'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b'
        'abc'.matches('^a.c$') && 'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.find('[0-9]+') == '1'
        self.name.matches(self.labels.app) == false
        '%s is %d of %.1f, %x'.format([dyn('a'), 1, 2.55, 255]) == 'a is 1 of 2.5, ff'
        '%s'.format([[1, 2]]) == '[1, 2]' && strings.quote('a\"b') == '\"a\\\\\"b\"'
        self.when > timestamp('2024-01-01T00:00:00Z') && self.when.getFullYear() == 2024 && self.when.getDate() == 29
        self.when.getDayOfWeek() == 4 && self.when.getHours('+02:00') == 14 && self.when.getMilliseconds() == 500
        self.wait == duration('90m') && self.wait.getMinutes() == 90 && self.when + self.wait > self.when
        timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')
        self.data == b'hi' && string(self.data) == 'hi' && bytes('hi') == self.data
        int('7') == 7 && double('1.5') == 1.5 && string(7) == '7' && uint(7) == 7u && bool('true') && string(1.5) == '1.5'
        string(duration('1m30s')) == '90s' && int(timestamp('1970-01-01T00:01:00Z')) == 60
        sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1]) && sets.intersects([1], [1, 2])
        quantity('1Gi').isGreaterThan(quantity('900Mi')) && quantity('500m').compareTo(quantity('0.5')) == 0
        quantity('1k').add(1).asInteger() == 1001 && !isQuantity('1Gx') && sign(quantity('-1')) == -1
        url('https://a.example:80/p?q=1').getHost() == 'a.example:80' && isURL('/p') && !isURL('a b')
        url('https://[::1]:80/').getHostname() == '::1' && url('https://a/b?x=1&x=2').getQuery()['x'] == ['1', '2']
        ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && !isIP('10.0.0') && ip.isCanonical('::1')
        cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')
        cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.0.0.0/8').prefixLength() == 8
        semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2 && !isSemver('1.2')
        semver('1.0.0-rc.1').isLessThan(semver('1.0.0')) && semver('1.2.3').major() == 1
        self.?missing.orValue('x') == 'x' && self.?name.hasValue() && self.labels[?'none'] == optional.none()
        [1, 2].first().value() == 1 && [1][?3].or(optional.of(4)).value() == 4
        self.?replicas.optMap(r, r + 1).value() == 4 && !self.?missing.optMap(m, m + 'x').hasValue()
        [?self.?missing, 'y'] == ['y'] && {?'a': self.?missing, 'b': 'z'} == {'b': 'z'}
        optional.ofNonZeroValue('') == optional.none() && self.?labels.app.orValue('') == 'web'
    ";
    cases.lines().map(str::trim).filter(|case| !case.is_empty()).for_each(check);
}

#[test]
fn expressions_without_a_value_say_why() {
    let cases = [
        ("1 / 0 == 1", "division by zero"),
        ("1 % 0 == 1", "modulus by zero"),
        ("9223372036854775807 + 1 == 0", "integer overflow"),
        ("[1][5] == 1", "index out of bounds: 5"),
        ("self.labels['none'] == ''", "no such key: none"),
        ("self.missing == ''", "no such key: missing"),
        ("self.port < 5", "no such overload"),
        ("'a'.substring(3) == ''", "index out of range: 3"),
        ("[].max() == 1", "max called on empty list"),
        ("optional.none().value() == 1", "optional.none() dereference"),
        ("int('x') == 1", "type conversion error from 'string' to 'int'"),
    ];
    for (expression, expect) in cases {
        assert_eq!(run(expression, &mut Budget::new(none)), Err(expect.into()), "{expression}");
    }
}

/// Whether an expression was stopped before it took more than it may.
fn is_stopped(expression: &str) -> bool {
    run(expression, &mut Budget::new(none)) == Err(Failure::Cancelled.to_string())
}

#[test]
fn nothing_takes_more_than_it_may() {
    let digits = "[0,1,2,3,4,5,6,7,8,9]";
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|at| format!("{digits}.all(x{at}, ")).collect();
        format!("{open}true{}", ")".repeat(depth))
    };
    assert!(!is_stopped(&nested(3)));
    assert!(is_stopped(&nested(7)), "many rounds");
    let doubled = |first: &str, depth: usize| {
        let more: String = (0..depth).map(|at| format!(".map(x{at}, x{at} + x{at})")).collect();
        format!("[{first}]{more}.size() == 1")
    };
    assert!(!is_stopped(&doubled("'ab'", 10)));
    assert!(is_stopped(&doubled("'ab'", 60)), "texts that double");
    // Lists that double cost nothing to put together, and all to walk.
    let lists = doubled("[1]", 80).replace(".size() == 1", ".all(l, l.all(x, x == 1))");
    assert!(is_stopped(&lists));
    let lists = doubled("[1]", 80).replace(".size() == 1", "[0].sum() == 1");
    assert!(is_stopped(&lists));
    // What is deep in two lists is compared, and upstream counts the lists alone.
    let pairs: String = (0..40).map(|at| format!(".map(x{at}, [dyn(x{at}), dyn(x{at})])")).collect();
    assert!(is_stopped(&format!("[dyn(1)]{pairs} == [dyn(1)]{pairs}")));
    // What was stopped is not gone on with where nobody looks at its value.
    assert!(is_stopped(&format!("optional.of({}).optMap(x, 1).orValue(2) == 1", nested(7))));
    // A pattern of many states, over a long text.
    let digits = "1".repeat(90_000);
    assert!(is_stopped(&format!("'{digits}'.matches('1[01]{{999}}[2-9]')")));
    assert!(!is_stopped(&format!("'{digits}'.matches('1[01]+[2-9]')")));
    // A short text that becomes a long one.
    let (many, long) = ("a".repeat(9000), "b".repeat(9000));
    assert!(is_stopped(&format!("'{many}'.replace('', '{long}').size() == 1")));
}

#[test]
fn what_is_counted_is_what_upstream_counts() {
    let cases = [
        ("true", 0),
        ("self.replicas == 3", 3),
        ("self.replicas > 1 && self.flag", 5),
        ("has(self.name)", 1),
        ("self.name == 'abc'", 3),
        ("self.name.startsWith('a')", 3),
        ("size(self.list) == 3", 4),
        ("[self.replicas].size() == 1", 14),
    ];
    for (expression, expect) in cases {
        let mut budget = Budget::new(none);
        run(expression, &mut budget).unwrap();
        assert_eq!(budget.cost(), expect, "{expression}");
    }
}

#[test]
fn a_budget_holds_to_the_last_unit() {
    let with = |cost: u64, steps: u64, bytes: u64| {
        run("self.list.map(x, 'ab' + 'cd').size() == 3", &mut Budget::of(cost, steps, bytes, none))
    };
    let mut budget = Budget::new(none);
    run("self.list.map(x, 'ab' + 'cd').size() == 3", &mut budget).unwrap();
    assert_eq!(with(budget.cost(), STEPS_MAX, BYTES_MAX), Ok("Bool(true)".into()));
    for short in [
        with(budget.cost() - 1, STEPS_MAX, BYTES_MAX),
        with(COST_MAX, 10, BYTES_MAX),
        with(COST_MAX, STEPS_MAX, 8),
    ] {
        assert_eq!(short, Err(Failure::Cancelled.to_string()));
    }
}
