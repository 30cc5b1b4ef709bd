//! Formats by name (upstream: apiserver, `library/format.go`). What they want is told by whoever evaluates.

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Own, Value},
};

/// The formats that there are.
const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

macro_rules! formats {
    ($($function:ident: $name:literal;)*) => {
        $(pub(crate) fn $function<'v>(_: &mut Budget, _: &[Value<'v>]) -> Answer<'v> {
            Ok(Value::own(Own::Format($name)))
        })*
    };
}

formats! {
    dns_1123_label: "dns1123Label";
    dns_1123_subdomain: "dns1123Subdomain";
    dns_1035_label: "dns1035Label";
    qualified_name: "qualifiedName";
    dns_1123_label_prefix: "dns1123LabelPrefix";
    dns_1123_subdomain_prefix: "dns1123SubdomainPrefix";
    dns_1035_label_prefix: "dns1035LabelPrefix";
    label_value: "labelValue";
    uri: "uri";
    uuid: "uuid";
    byte: "byte";
    date: "date";
    date_time: "datetime";
}

pub(crate) fn named<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let name = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    let known = NAMES.iter().find(|known| **known == name);
    Ok(Value::optional(known.map(|name| Value::own(Own::Format(name)))))
}

pub(crate) fn validate<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let [Value::Own(own), Value::String(text)] = args else { return Err(Failure::no_overload()) };
    let Own::Format(name) = &**own else { return Err(Failure::no_overload()) };
    let wrong = (budget.formats())(name, text).unwrap_or_default();
    let wrong: Vec<Value<'v>> = wrong.into_iter().map(Value::from).collect();
    Ok(Value::optional((!wrong.is_empty()).then(|| Value::list(wrong))))
}
