//! Answers made plain: what no two servers have in common gets a name, after the call that told of it first. So it is still
//! seen whether it is there, and whether it is the same as before.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::https::Answer;

/// Headers that say nothing of the answer.
const UNLIKE: [&str; 8] = [
    "audit-id",
    "connection",
    "content-length",
    "date",
    "last-modified",
    "transfer-encoding",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
];

/// How far from now a time is that a server took from its clock.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// What stands before a version in messages.
const VERSIONS_IN_SENTENCES: [&str; 5] = [
    "current: ",
    "too old resource version: 1 (",
    "ResourceVersion in record (",
    "ResourceVersion in object meta: ",
    "resourceVersion\\\":\\\"",
];

/// Digits of a digest of a document.
const DIGEST_LEN: usize = 128;

/// Letters that a server adds to a name to be generated.
const SUFFIX_LEN: usize = 5;

/// An answer, comparable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plain {
    pub(crate) code: u16,
    pub(crate) headers: BTreeMap<String, String>,
    /// The object; a watch's events as an array; other text as an array of lines.
    pub(crate) body: Value,
}

/// What one server has called things in a script so far.
pub(crate) struct Names {
    namespace: String,
    /// Where the server is.
    address: String,
    /// The label of the call that is answered.
    call: String,
    /// What generated names begin with.
    stems: Vec<String>,
    /// Each thing with its name.
    known: Vec<(String, String)>,
}

impl Plain {
    pub(crate) fn of(answer: &Answer, names: &mut Names) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &answer.headers {
            if UNLIKE.contains(&name.as_str()) {
                continue;
            }
            let value = names.text(&String::from_utf8_lossy(value.as_bytes()));
            let all = headers.entry(name.to_string()).or_default();
            all.push_str(if all.is_empty() { "" } else { "; " });
            all.push_str(&value);
        }
        let mut body = body(answer);
        names.give(&mut body);
        Self { code: answer.code, headers, body }
    }
}

fn body(answer: &Answer) -> Value {
    if !answer.json.is_null() {
        return answer.json.clone();
    }
    if answer.headers.get("content-type").is_some_and(|kind| kind == "application/yaml")
        && let Ok(value) = serde_saphyr::from_str(&answer.text)
    {
        return value;
    }
    if answer.headers.get("content-type").is_some_and(|kind| kind == "application/vnd.kubernetes.protobuf") {
        return "<protobuf>".into();
    }
    let line = |line: &str| -> Value { serde_json::from_str(line).unwrap_or_else(|_| line.into()) };
    answer.text.lines().map(line).collect()
}

impl Names {
    pub(crate) fn new(namespace: &str, address: &str) -> Self {
        let [namespace, address] = [namespace, address].map(str::to_owned);
        Self { namespace, address, call: String::new(), stems: Vec::new(), known: Vec::new() }
    }

    /// Begins with a call, whose body may have a name to be generated.
    pub(crate) fn call(&mut self, label: &str, body: &str) {
        self.call = label.to_owned();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        self.stems.extend(body["metadata"]["generateName"].as_str().map(str::to_owned));
    }

    /// The name of a thing: the call that told of it first.
    fn name(&mut self, what: &str, thing: &str) -> String {
        if let Some((_, name)) = self.known.iter().find(|(known, _)| known == thing) {
            return name.clone();
        }
        let first = format!("{what} of {}", self.call);
        let before = self.known.iter().filter(|(_, name)| name[1..].starts_with(&first)).count();
        let name = if before == 0 { format!("<{first}>") } else { format!("<{first}, {}>", before + 1) };
        self.known.push((thing.to_owned(), name.clone()));
        name
    }

    /// Gives names to all in an answer.
    fn give(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => self.give_all(values),
            Value::Object(fields) => self.give_fields(fields),
            _ => {}
        }
    }

    fn give_all(&mut self, values: &mut [Value]) {
        values.iter_mut().for_each(|value| self.give(value));
    }

    fn give_fields(&mut self, fields: &mut Map<String, Value>) {
        // Upstream walks schemas of users in any order, so what a message tells of several causes has none.
        let many = fields.get("details").and_then(|details| details["causes"].as_array());
        if many.is_some_and(|causes| causes.len() > 1)
            && let Some(Value::String(message)) = fields.get_mut("message")
            && let Some((before, _)) = message.split_once("is invalid: [")
            && before.contains(".example.com")
        {
            *message = format!("{before}is invalid: <the causes>");
        }
        // The hash of a script's own group is the script's own.
        if fields
            .get("groupVersion")
            .is_some_and(|group| group.as_str().is_some_and(|group| group.contains(".example.com")))
        {
            for resource in fields.get_mut("resources").and_then(Value::as_array_mut).into_iter().flatten() {
                _ = resource.as_object_mut().map(|resource| resource.remove("storageVersionHash"));
            }
        }
        // A table's columns are described in prose.
        if fields.contains_key("priority") && fields.contains_key("format") {
            fields.remove("description");
        }
        // The version of a list or a bookmark is that of the store, which other scripts move.
        if is_list(fields)
            && let Some(version) = fields.get_mut("metadata").and_then(|meta| meta.get_mut("resourceVersion"))
            && is_number(version)
        {
            *version = "<the store's>".into();
        }
        for (key, value) in fields.iter_mut() {
            match (key.as_str(), &mut *value) {
                ("resourceVersion", Value::String(text)) if text != "0" && is_digits(text) => {
                    *text = self.name("version", text);
                }
                ("token", Value::String(token)) if token.split('.').count() == 3 => {
                    *token = self.name("token", token);
                }
                ("continue", Value::String(token)) if !token.is_empty() => *token = "<token>".into(),
                ("clusterIP", Value::String(ip)) if ip.contains('.') => {
                    *ip = self.name("address", ip);
                }
                ("clusterIPs", Value::Array(ips)) => {
                    for ip in ips.iter_mut().filter(|ip| ip.as_str().is_some_and(|ip| ip.contains('.'))) {
                        *ip = self.name("address", ip.as_str().unwrap_or_default()).into();
                    }
                }
                ("nodePort" | "healthCheckNodePort", Value::Number(port)) => {
                    *value = self.name("port", &port.to_string()).into();
                }
                // Their order depends on the second in which each came.
                ("managedFields", Value::Array(entries)) => {
                    self.give_all(entries);
                    let name = |entry: &Value| {
                        let part = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                        [part("manager"), part("operation"), part("subresource")].join(" ")
                    };
                    *value = entries.iter().map(|entry| (name(entry), entry.clone())).collect();
                }
                // Upstream's come in any order where they were keys of a map.
                ("causes", Value::Array(causes)) => {
                    self.give_all(causes);
                    causes.sort_by_key(Value::to_string);
                }
                ("cells", Value::Array(cells)) => cells.iter_mut().for_each(|cell| self.cell(cell)),
                _ => self.give(value),
            }
        }
    }

    /// A cell of a table: an age is any.
    fn cell(&mut self, cell: &mut Value) {
        match cell.as_str() {
            Some(text) if text.strip_suffix('s').is_some_and(is_digits) => *cell = "<age>".into(),
            _ => self.give(cell),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.replace(&self.namespace, "{{ns}}").replace(&self.address, "{{server}}");
        while let Some(time) = time(&text).map(str::to_owned) {
            let fraction = if time.contains('.') { "with a fraction" } else { "in seconds" };
            text = text.replace(&time, &format!("<time {fraction}>"));
        }
        while let Some(uid) = uid(&text).map(str::to_owned) {
            text = text.replace(&uid, &self.name("uid", &uid));
        }
        for stem in self.stems.clone() {
            while let Some(full) = generated(&text, &stem).map(str::to_owned) {
                text = text.replace(&full, &self.name("generated", &full));
            }
        }
        for (address, name) in self.known.iter().filter(|(_, name)| name.starts_with("<address")) {
            text = text.replace(address, name);
        }
        while let Some(digest) = digest(&text).map(str::to_owned) {
            text = text.replace(&digest, "<digest>");
        }
        for before in VERSIONS_IN_SENTENCES {
            if let Some((head, tail)) = text.split_once(before) {
                let rest = tail.trim_start_matches(|char: char| char.is_ascii_digit());
                text = format!("{head}{before}<version>{rest}");
            }
        }
        text
    }
}

fn is_list(fields: &Map<String, Value>) -> bool {
    let is_bookmark = fields.get("metadata").is_some_and(|metadata| metadata.get("name").is_none());
    fields.contains_key("metadata")
        && (is_bookmark || fields.contains_key("items") || fields.contains_key("rows"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(value: &Value) -> bool {
    value.as_str().is_some_and(is_digits)
}

/// The first time in a text that a server took from its clock.
#[expect(clippy::disallowed_methods, reason = "servers have real clocks")]
fn time(text: &str) -> Option<&str> {
    let is_part = |char: char| char.is_ascii_digit() || "-:.TZ".contains(char);
    text.split(|char| !is_part(char)).find(|word| {
        let time = word.parse::<Timestamp>();
        time.is_ok_and(|time| Timestamp::now().duration_since(time).abs() < RECENT)
    })
}

/// The first generated name in a text.
fn generated<'a>(text: &'a str, stem: &str) -> Option<&'a str> {
    let places = text.match_indices(stem).map(|(at, _)| at);
    let names = places.filter_map(|at| text.get(at..at + stem.len() + SUFFIX_LEN));
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    names.into_iter().find(|name| name[stem.len()..].bytes().all(is_letter))
}

/// The first digest of a document in a text, which is as different as the documents are.
fn digest(text: &str) -> Option<&str> {
    let is_digit = |char: char| char.is_ascii_digit() || ('A'..='F').contains(&char);
    text.split(|char| !is_digit(char)).find(|word| word.len() == DIGEST_LEN)
}

/// The first UUID in a text.
fn uid(text: &str) -> Option<&str> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let is_uid = |text: &str| {
        text.bytes()
            .enumerate()
            .all(|(at, byte)| if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    (0..text.len()).filter_map(|at| text.get(at..at + 36)).find(|part| is_uid(part))
}
