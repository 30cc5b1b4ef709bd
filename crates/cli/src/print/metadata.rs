//! Name, namespace, labels, annotations and age: the head of every description.

use std::collections::BTreeMap;

use jiff::Timestamp;
use resources::meta::ObjectMeta;

use super::{age::short_age, attributes::Attributes, attributes::Indent};

/// Where a line of labels, annotations or variables is cut, unless everything was asked for.
const WIDTH_MAX: usize = 100;
/// Keys of these domains are bookkeeping, shown only when everything was asked for.
const BOOKKEEPING: &[&str] = &["serving.knative.dev", "client.knative.dev", "kubectl.kubernetes.io"];

/// Writes the head of a description.
pub(crate) fn write_metadata(to: &mut Attributes, metadata: &ObjectMeta, verbose: bool, now: Timestamp) {
    to.add("Name", metadata.name.as_deref().unwrap_or_default());
    to.add("Namespace", metadata.namespace.as_deref().unwrap_or_default());
    write_map(to, "Labels", metadata.labels.as_ref(), verbose);
    write_map(to, "Annotations", metadata.annotations.as_ref(), verbose);
    to.add("Age", &short_age(metadata.creation_timestamp.as_ref(), now));
}

fn write_map(to: &mut Attributes, label: &str, map: Option<&BTreeMap<String, String>>, verbose: bool) {
    let shown: Vec<String> = map
        .into_iter()
        .flatten()
        .filter(|(key, _)| verbose || !is_bookkeeping(key))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    match shown.as_slice() {
        [] => {}
        lines if verbose => write_lines(to, &Indent::default(), label, lines),
        pairs => to.add(label, &cut(&pairs.join(", "), WIDTH_MAX - label.len() - 2)),
    }
}

/// Several values under one label: a line each with `verbose`, else one line, cut where it gets too long.
pub(crate) fn write_list(
    to: &mut Attributes,
    indent: &Indent,
    label: &str,
    values: &[String],
    verbose: bool,
) {
    match values {
        [] => {}
        lines if verbose => write_lines(to, indent, label, lines),
        values => to.add_at(indent, label, &cut(&values.join(", "), WIDTH_MAX)),
    }
}

fn write_lines(to: &mut Attributes, indent: &Indent, label: &str, lines: &[String]) {
    let heading = format!("{label}:");
    for (index, line) in lines.iter().enumerate() {
        to.cells(indent, &[if index == 0 { &heading } else { "" }, line]);
    }
}

fn is_bookkeeping(key: &str) -> bool {
    key.split_once('/').is_some_and(|(domain, _)| BOOKKEEPING.contains(&domain))
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 4).collect();
    format!("{kept} ...")
}
