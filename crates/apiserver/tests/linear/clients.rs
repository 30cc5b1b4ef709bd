//! Those who read and write the same few objects at the same time.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::future::join_all;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    https::{self, Answer, Connection, Https, PATIENCE},
    recorded::{Call, Heard, History, Operation, Seen},
};

const CLIENTS: usize = 6;
const OBJECTS: usize = 3;
/// Of each client.
const OPERATIONS: usize = 100;
/// What ends the watch.
const LAST: &str = "last";

/// A clock that only counts, and the values, of which each is there once.
#[derive(Default)]
struct Counters {
    moment: AtomicU64,
    value: AtomicU64,
}

fn count(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::SeqCst)
}

/// Has the clients do what they do, in a namespace of its own, and notes it.
pub(crate) async fn run(home: &Https, seed: u64) -> History {
    let namespace = format!("linear-{}-{seed}", std::process::id());
    let mut connection = home.connect().await;
    let body = json!({"metadata": {"name": namespace}}).to_string();
    let made = call(&mut connection, "POST", "/api/v1/namespaces", &body).await;
    assert_eq!(made.code, 201, "{}", made.text);
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let present = call(&mut connection, "GET", &path, "").await;
    let since = present.json["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let watch = format!("{path}?watch=1&resourceVersion={since}");
    let watch = home.connect().await.send("GET", &watch, &[("content-type", JSON)], "").await;

    let (counters, operations) = (Counters::default(), Mutex::new(Vec::new()));
    let clients = (0..CLIENTS).map(|client| {
        let random = StdRng::seed_from_u64(1000 * seed + client as u64);
        Client { client, path: &path, counters: &counters, known: BTreeMap::new(), random }
            .run(home, &operations)
    });
    join_all(clients).await;
    let body = json!({"metadata": {"name": LAST}}).to_string();
    assert_eq!(call(&mut connection, "POST", &path, &body).await.code, 201);
    let watched = watched(watch.into_body()).await;
    History { objects: OBJECTS, operations: operations.into_inner().unwrap(), watched }
}

const JSON: &str = "application/json";

async fn call(connection: &mut Connection, method: &str, path: &str, body: &str) -> Answer {
    https::answer(connection.send(method, path, &[("content-type", JSON)], body).await).await
}

struct Client<'a> {
    client: usize,
    path: &'a str,
    counters: &'a Counters,
    /// The versions it has heard of last.
    known: BTreeMap<usize, u64>,
    random: StdRng,
}

impl Client<'_> {
    async fn run(mut self, home: &Https, operations: &Mutex<Vec<Operation>>) {
        let mut connection = home.connect().await;
        for _ in 0..OPERATIONS {
            let object = self.random.random_range(0..OBJECTS);
            let wanted = self.wanted(object);
            let (method, path, body) = self.request(object, &wanted);
            let called_at = count(&self.counters.moment);
            let answer = call(&mut connection, method, &path, &body).await;
            let heard_at = count(&self.counters.moment);
            let heard = heard(&wanted, &answer);
            if let Heard::Object((version, _)) = heard {
                self.known.insert(object, version);
            }
            let client = self.client;
            let operation = Operation { client, object, call: wanted, heard, called_at, heard_at };
            operations.lock().unwrap().push(operation);
        }
    }

    fn wanted(&mut self, object: usize) -> Call {
        let known = self.known.get(&object).copied();
        match self.random.random_range(0..12) {
            0..3 => Call::Get,
            3..5 => Call::Create { value: count(&self.counters.value) },
            5..9 if known.is_some() => {
                Call::Update { expected: known.unwrap_or_default(), value: count(&self.counters.value) }
            }
            9 => Call::Delete { expected: known },
            10 => Call::Delete { expected: None },
            _ => Call::List,
        }
    }

    fn request(&self, object: usize, wanted: &Call) -> (&'static str, String, String) {
        let one = format!("{}/o{object}", self.path);
        let body = |version: Option<u64>, value: u64| {
            let mut body =
                json!({"metadata": {"name": format!("o{object}")}, "data": {"value": value.to_string()}});
            if let Some(version) = version {
                body["metadata"]["resourceVersion"] = json!(version.to_string());
            }
            body.to_string()
        };
        match wanted {
            Call::Get => ("GET", one, String::new()),
            Call::List => ("GET", self.path.to_owned(), String::new()),
            Call::Create { value } => ("POST", self.path.to_owned(), body(None, *value)),
            Call::Update { expected, value } => ("PUT", one, body(Some(*expected), *value)),
            Call::Delete { expected: None } => ("DELETE", one, String::new()),
            Call::Delete { expected: Some(expected) } => {
                let preconditions = json!({"resourceVersion": expected.to_string()});
                let options =
                    json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
                ("DELETE", one, options.to_string())
            }
        }
    }
}

fn heard(wanted: &Call, answer: &Answer) -> Heard {
    match (answer.code, wanted) {
        (200, Call::List) => {
            let items = answer.json["items"].as_array().unwrap();
            let found = items.iter().filter_map(|item| Some((object(item)?, seen(item)))).collect();
            Heard::List(version(&answer.json), found)
        }
        (200, Call::Delete { .. }) => Heard::Deleted,
        (200 | 201, _) => Heard::Object(seen(&answer.json)),
        (404, _) => Heard::NotFound,
        (409, _) => Heard::Conflict,
        _ => panic!("{wanted:?}: {}", answer.text),
    }
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

fn seen(object: &Value) -> Seen {
    (version(object), object["data"]["value"].as_str().unwrap().parse().unwrap())
}

/// Which of the objects it is, if it is one.
fn object(object: &Value) -> Option<usize> {
    object["metadata"]["name"].as_str()?.strip_prefix('o')?.parse().ok()
}

/// What a watch tells until the last is made.
async fn watched(mut body: Incoming) -> Vec<(u64, usize, Option<u64>)> {
    let (mut watched, mut rest) = (Vec::new(), Vec::new());
    loop {
        let frame = timeout(PATIENCE, body.frame()).await.unwrap().expect("the watch goes on").unwrap();
        rest.extend_from_slice(&frame.into_data().unwrap());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let event: Value = serde_json::from_slice(&rest.drain(..=end).collect::<Vec<u8>>()).unwrap();
            let of = &event["object"];
            if of["metadata"]["name"] == json!(LAST) {
                return watched;
            }
            if let Some(object) = object(of) {
                let (version, value) = seen(of);
                watched.push((version, object, (event["type"] != json!("DELETED")).then_some(value)));
            }
        }
    }
}
