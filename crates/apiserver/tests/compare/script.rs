//! Scripts of HTTP calls, and how they are written.
//!
//! ```text
//! ### name of the script                      begins a script
//! # a word to the reader
//! label: METHOD /path?query form …            a call; the label is for others to refer to it
//! > header: value                             a header; an empty value sends none
//!     {"metadata": {"name": "a"}}             its body: what is indented
//! ```
//!
//! Forms are short for headers ([`FORMS`]), `stranger` for a call without a certificate, and `when-served` for one that is
//! made again until what it is about is served, which takes upstream a moment after a kind was defined; a body is JSON unless a form says otherwise. `{{ns}}` is the script's namespace,
//! `{{label.metadata.uid}}` a part of an earlier answer, `{{sample.pod}}` an object of `samples.yaml`.

use crate::samples::{self, Sample};

/// Words after a path, and the header that each is short for.
const FORMS: &[(&str, &str, &str)] = &[
    ("json", "content-type", "application/json"),
    ("yaml", "content-type", "application/yaml"),
    ("merge", "content-type", "application/merge-patch+json"),
    ("json-patch", "content-type", "application/json-patch+json"),
    ("strategic", "content-type", "application/strategic-merge-patch+json"),
    ("apply", "content-type", "application/apply-patch+yaml"),
    ("table", "accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),
    ("partial", "accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
    ("partial-list", "accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"),
    ("discovery", "accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"),
];

const FILES: &[(&str, &str)] = &[
    ("create", include_str!("scripts/create.http")),
    ("update", include_str!("scripts/update.http")),
    ("delete", include_str!("scripts/delete.http")),
    ("list", include_str!("scripts/list.http")),
    ("parts", include_str!("scripts/parts.http")),
    ("invalid", include_str!("scripts/invalid.http")),
    ("apply", include_str!("scripts/apply.http")),
    ("rights", include_str!("scripts/rights.http")),
];
/// Goes last: while kinds are defined, a kube-apiserver's caches of other kinds fall behind its newest version, and watches
/// from there fail.
const CUSTOM: &str = include_str!("scripts/custom.http");
const RULES: &str = include_str!("scripts/rules.http");
const EACH_KIND: &str = include_str!("scripts/each_kind.http");

pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) calls: Vec<Call>,
    /// The object that it is about, where it runs for each kind.
    pub(crate) about: Option<&'static Sample>,
}

pub(crate) struct Call {
    /// Its label, or its number in the script.
    pub(crate) label: String,
    /// Whether it is sent without a certificate.
    pub(crate) stranger: bool,
    /// Whether it is made again while the answer is that there is no such thing.
    pub(crate) when_served: bool,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) fn all() -> Vec<Script> {
    let mut scripts: Vec<Script> =
        FILES.iter().flat_map(|(file, text)| read(text, &format!("{file}/"), None)).collect();
    for sample in samples::all() {
        scripts.extend(read(EACH_KIND, &format!("{}/", sample.title()), Some(sample)));
    }
    scripts.extend(read(CUSTOM, "custom/", None));
    scripts.extend(read(RULES, "rules/", None));
    scripts
}

/// The scripts of a text.
fn read(text: &str, prefix: &str, about: Option<&'static Sample>) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("###") {
            let name = format!("{prefix}{}", name.trim());
            scripts.push(Script { name, calls: Vec::new(), about });
            continue;
        }
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let script = scripts.last_mut().unwrap_or_else(|| panic!("{prefix}: {line:?} is in no script"));
        if line.starts_with("  ") || line.starts_with("> ") {
            let call = script.calls.last_mut().unwrap_or_else(|| panic!("{prefix}: {line:?} is of no call"));
            call.goes_on(line);
        } else {
            let number = script.calls.len() + 1;
            script.calls.push(Call::begin(line, number));
        }
    }
    for call in scripts.iter_mut().flat_map(|script| &mut script.calls) {
        call.complete();
    }
    scripts
}

impl Call {
    fn begin(line: &str, number: usize) -> Self {
        let mut words = line.split_whitespace().peekable();
        let label = words.next_if(|word| word.ends_with(':'));
        let label = label.map_or(number.to_string(), |label| label.trim_end_matches(':').to_owned());
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            panic!("{line:?} is not a method and a path")
        };
        let (mut stranger, mut when_served) = (false, false);
        let words = words.filter(|word| {
            stranger |= *word == "stranger";
            when_served |= *word == "when-served";
            !["stranger", "when-served"].contains(word)
        });
        let headers = words.map(|word| {
            let form = FORMS.iter().find(|(form, ..)| *form == word);
            let (_, name, value) = form.unwrap_or_else(|| panic!("{word:?} of {line:?} is not a form"));
            ((*name).to_owned(), (*value).to_owned())
        });
        let headers = headers.collect();
        let (method, path) = (method.into(), path.into());
        Self { label, stranger, when_served, method, path, headers, body: String::new() }
    }

    fn goes_on(&mut self, line: &str) {
        if let Some(header) = line.strip_prefix("> ") {
            let (name, value) = header.split_once(':').unwrap_or_else(|| panic!("{line:?} is not a header"));
            self.headers.push((name.trim().into(), value.trim().into()));
        } else {
            self.body.push_str(line);
            self.body.push('\n');
        }
    }

    /// Takes the indentation off the body and says what it is.
    fn complete(&mut self) {
        let indent = self.body.len() - self.body.trim_start().len();
        let lines = self.body.lines().map(|line| line.get(indent..).unwrap_or_else(|| line.trim_start()));
        self.body = lines.collect::<Vec<_>>().join("\n");
        if !self.body.is_empty() && !self.headers.iter().any(|(name, _)| name == "content-type") {
            self.headers.push(("content-type".into(), "application/json".into()));
        }
        self.headers.retain(|(_, value)| !value.is_empty());
    }
}
