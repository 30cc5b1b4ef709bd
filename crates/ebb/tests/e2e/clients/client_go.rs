//! client-go's shared informers, typed and dynamic, in both ways that a reflector begins.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdout, Stdio},
};

use kube::api::ApiResource;
use serde_json::Value;

use super::{client, storm, up};
use crate::rig::{Ebb, need_kubectl, need_program, until};

/// A program with informers.
struct Informers {
    child: Child,
    answers: Lines<BufReader<ChildStdout>>,
    last: Value,
}

impl Informers {
    /// `streaming`: what is there at the beginning comes by the watch, and not by a list.
    fn start(ebb: &Ebb, program: &Path, streaming: bool) -> Self {
        let kinds = storm::kinds();
        let resources = kinds.iter().map(|kind| format!("{}/{}", kind.api_version, kind.plural));
        let mut command = ebb.command(program);
        command.arg("follow").arg(ebb.dir().join("kubeconfig")).arg(storm::SELECTOR).args(resources);
        command.env("KUBE_FEATURE_WatchListClient", streaming.to_string());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, answers, last: Value::Null }
    }

    /// Asks for what they know now.
    fn ask(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        let answer = self.answers.next().expect("the informers go on").unwrap();
        self.last = serde_json::from_str(&answer).unwrap();
    }

    /// Whether they know of a kind what there is: the dynamic ones every field, all of them each version, in their stores as
    /// by the events that they told.
    fn know(&self, kind: &ApiResource, there: &BTreeMap<String, Value>) -> bool {
        let name = format!("{}/{}", kind.api_version, kind.plural);
        let known = &self.last["known"];
        let objects = |known: &Value| -> BTreeMap<String, Value> {
            let store = known["store"].as_object().unwrap();
            store.iter().map(|(key, object)| (key.clone(), storm::alone(object))).collect()
        };
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let versions: BTreeMap<_, _> =
            there.iter().map(|(key, object)| (key.clone(), version(object))).collect();
        let agrees = |known: &Value| {
            let told: BTreeMap<_, _> = known["told"].as_object().unwrap().clone().into_iter().collect();
            let stored: BTreeMap<_, _> =
                objects(known).iter().map(|(key, object)| (key.clone(), version(object))).collect();
            told == versions && stored == versions
        };
        let typed = &known[format!("typed {name}")];
        objects(&known[&name]) == *there && agrees(&known[&name]) && (typed.is_null() || agrees(typed))
    }

    fn asked(&self, what: &str) -> u64 {
        self.last["asked"][what].as_u64().unwrap_or_default()
    }
}

impl Drop for Informers {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn informers_end_with_what_there_is() {
    let test = "informers_end_with_what_there_is";
    let Some(program) = need_program(test, "EBB_CLIENT_GO").filter(|_| need_kubectl(test)) else { return };
    let mut ebb = up();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(client(&ebb));
    // Before the kind of users is there, as a program may begin.
    let mut informers = [false, true].map(|streaming| Informers::start(&ebb, &program, streaming));
    storm::run(&mut ebb, &runtime, &client);
    for kind in storm::kinds() {
        let same = until(|| {
            informers.iter_mut().for_each(Informers::ask);
            let there = storm::there(&ebb, &kind);
            (!there.is_empty() && informers.iter().all(|informers| informers.know(&kind, &there)))
                .then_some(())
        });
        let known = || informers.iter().map(|informers| informers.last.to_string()).collect::<Vec<_>>();
        assert!(
            same.is_some(),
            "{}: {:?}\nare known as {:?}",
            kind.plural,
            storm::there(&ebb, &kind),
            known()
        );
    }
    let [listing, streaming] = &informers;
    assert!(listing.asked("list") > 0 && listing.asked("stream") == 0, "{}", listing.last["asked"]);
    assert!(streaming.asked("stream") > 0, "{}", streaming.last["asked"]);
}
