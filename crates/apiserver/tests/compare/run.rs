//! Running a script against both servers.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    differ::{self, Difference},
    https::{self, Connection},
    plain::{Names, Plain},
    samples,
    script::{Call, Script},
    servers::{Home, Homes},
};

/// How often a call is made again until what it is about is served, and how long after the last time.
const SERVED_ATTEMPTS_MAX: usize = 200;
const SERVED_PAUSE: Duration = Duration::from_millis(50);

/// What differs between the two servers' answers to a script.
pub(crate) async fn both(homes: &Homes, script: &Script) -> Vec<Difference> {
    let (ours, theirs) = tokio::join!(answers(&homes.ours, script), answers(&homes.theirs, script));
    differ::of_script(&script.name, script.calls.iter().zip(theirs.iter().zip(&ours)))
}

async fn answers(home: &Home, script: &Script) -> Vec<Plain> {
    let mut run = Run::begin(home, script).await;
    let mut answers = Vec::with_capacity(script.calls.len());
    for call in &script.calls {
        answers.push(run.call(call).await);
    }
    answers
}

/// A script on its way.
struct Run<'a> {
    home: &'a Home,
    script: &'a Script,
    connection: Connection,
    namespace: String,
    names: Names,
    /// The answers so far, by the labels of their calls.
    known: HashMap<&'a str, Value>,
}

impl<'a> Run<'a> {
    /// Makes the script's namespace, and in it what controllers would make: the ServiceAccount of pods.
    async fn begin(home: &'a Home, script: &'a Script) -> Self {
        // A peer that runs already may know the names of the run before.
        let namespace = format!("{}-{}", script.name.replace(['/', ' '], "-"), std::process::id());
        let connection = home.admin.connect().await;
        let names = Names::new(&namespace, &home.admin.address.to_string());
        let run = Self { home, script, connection, namespace, names, known: HashMap::new() };
        let account = json!({"metadata": {"name": "default"}, "automountServiceAccountToken": false});
        let made = [
            ("/api/v1/namespaces".to_owned(), json!({"metadata": {"name": run.namespace}})),
            (format!("/api/v1/namespaces/{}/serviceaccounts", run.namespace), account),
        ];
        for (path, object) in made {
            let headers = [("content-type", "application/json")];
            let answer = home.admin.call("POST", &path, &headers, &object.to_string()).await;
            assert_eq!(answer.code, 201, "{}: {path}: {}", script.name, answer.text);
        }
        run
    }

    async fn call(&mut self, call: &'a Call) -> Plain {
        let [path, body] = [&call.path, &call.body].map(|text| self.filled_in(text));
        let headers = call.headers.iter().map(|(name, value)| (name.as_str(), self.filled_in(value)));
        let headers: Vec<_> = headers.collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.names.call(&call.label, &body);
        let mut attempts_left = if call.when_served { SERVED_ATTEMPTS_MAX } else { 1 };
        let answer = loop {
            let answer = if call.stranger {
                self.home.stranger.call(&call.method, &path, &headers, &body).await
            } else {
                https::answer(self.connection.send(&call.method, &path, &headers, &body).await).await
            };
            attempts_left -= 1;
            if answer.code != 404 || attempts_left == 0 {
                break answer;
            }
            tokio::time::sleep(SERVED_PAUSE).await;
        };
        let plain = Plain::of(&answer, &mut self.names);
        self.known.insert(&call.label, answer.json);
        plain
    }

    /// A text of the script with what stands in double braces put in its place.
    fn filled_in(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once("{{") else { return text.to_owned() };
        let (name, after) = rest.split_once("}}").unwrap_or_else(|| panic!("{text:?} has an open brace"));
        // What is put in may have a place of its own to be filled.
        format!("{before}{}{}", self.filled_in(&self.value(name)), self.filled_in(after))
    }

    fn value(&self, name: &str) -> String {
        let namespace = &self.namespace;
        let about = || self.script.about.unwrap_or_else(|| panic!("{name} is there for each kind only"));
        match name {
            "ns" => namespace.clone(),
            "objects" => about().collection(namespace),
            "everywhere" => about().everywhere(),
            "object" => format!("{}/{}", about().collection(namespace), about().name(namespace)),
            "name" => about().name(namespace),
            "kind" => about().kind_name().into(),
            "apiVersion" => about().api_version(),
            "sample" => about().json(namespace),
            _ => match name.split_once('.') {
                Some(("sample", singular)) => {
                    let sample = samples::all().iter().find(|sample| sample.singular == singular);
                    sample.unwrap_or_else(|| panic!("there is no sample of {singular}")).json(namespace)
                }
                Some((label, path)) => self.part(label, path),
                None => panic!("nothing is called {name}"),
            },
        }
    }

    /// A part of an earlier answer; a call that failed has none.
    fn part(&self, label: &str, path: &str) -> String {
        let answer = self.known.get(label).unwrap_or_else(|| panic!("no earlier call is labelled {label}"));
        match answer.pointer(&format!("/{}", path.replace('.', "/"))) {
            None => "none".into(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}
