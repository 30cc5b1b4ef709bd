//! A life of the server on a disk: opened, written to by several at once, and left as it comes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use apiserver::{ApiServer, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    clients,
    history::{History, Promise},
};
use crate::{
    disk::{Chance, SimulatedDisk},
    https::Https,
    rig::Rig,
};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A disk, what has happened on it, and the keys, which are files of the system's.
pub(crate) struct World {
    keys: Arc<TempDir>,
    pub(crate) disk: SimulatedDisk,
    history: History,
}

/// How a life has ended.
#[derive(Debug)]
pub(crate) enum End {
    /// In order, with everything on disk.
    Closed,
    /// It takes no writes; what `/readyz` says of it.
    Failed { ready: String },
    /// It did not begin.
    NotOpened(String),
}

/// A byte of a file that changes while the server runs.
pub(crate) type Flip<'a> = (&'a Path, usize, u8);

impl World {
    pub(crate) fn new() -> Self {
        let (keys, disk) = (Arc::new(tempfile::tempdir().unwrap()), SimulatedDisk::default());
        Self { keys, disk, history: History::default() }
    }

    /// A world that goes its own way from here.
    pub(crate) fn copy(&self) -> Self {
        Self { keys: Arc::clone(&self.keys), disk: self.disk.after_kill(), history: self.history.clone() }
    }

    /// What the next process finds.
    pub(crate) fn next(&mut self, left: impl FnOnce(&SimulatedDisk) -> SimulatedDisk) {
        self.disk = left(&self.disk);
    }

    /// The files, and how long they are.
    pub(crate) fn files(&self) -> Vec<(PathBuf, usize)> {
        let files = ["segment", "hint"].into_iter().flat_map(|extension| self.disk.files(extension));
        files.map(|path| (path.clone(), self.disk.bytes(&path).len())).collect()
    }

    pub(crate) fn first_segment(&self) -> u32 {
        let first = self.disk.files("segment").into_iter().next().unwrap();
        first.file_stem().unwrap().to_str().unwrap().parse().unwrap()
    }

    /// Limits so small that a few writes fill segments, which are then compacted.
    fn options(&self) -> Options {
        let state = storage::objects::Options {
            segment_bytes_max: 16 << 10,
            cache_bytes_max: 4 << 10,
            compaction_slice_bytes: 2 << 10,
            version_block: 1000,
            ..storage::objects::Options::default()
        };
        Options { file_system: Arc::new(self.disk.clone()), state, ..Options::new(self.keys.path()) }
    }

    async fn open(&self) -> Result<ApiServer, String> {
        ApiServer::open(self.options()).await.map_err(|error| {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            text
        })
    }

    /// Lives, with so many writes of each client.
    pub(crate) fn live(&mut self, chance: Chance, writes: usize, flip: Option<Flip<'_>>) -> End {
        // Everything of the life ends with it.
        runtime().block_on(self.live_here(chance, writes, flip))
    }

    async fn live_here(&mut self, mut chance: Chance, writes: usize, flip: Option<Flip<'_>>) -> End {
        let server = match self.open().await {
            Ok(server) => server,
            Err(error) => return End::NotOpened(error),
        };
        let rig = Rig::of(server.clone()).await;
        if self.history.check_opened(&server).await.is_ok() {
            if let Some((path, at, bits)) = flip.filter(|(path, ..)| self.disk.has_file(path)) {
                self.disk.flip(path, at, bits);
            }
            self.write(&rig, &mut chance, writes).await;
        }
        self.end(&rig).await
    }

    /// Several write at once and somebody watches, until they are done or nothing is taken any more.
    async fn write(&mut self, rig: &Rig, chance: &mut Chance, writes: usize) {
        let since = self.history.opened_at;
        let mut watch = rig.watch(&format!("{MAPS}?watch=1&resourceVersion={since}"), &[]).await;
        let home = Https::of(&rig.server.kubeconfig(&rig.url).unwrap());
        let mut seed = || Chance(chance.below(usize::MAX) as u64);
        let history = &self.history;
        let in_process = clients::in_process(rig.server.clone(), history, seed(), writes);
        tokio::join!(
            clients::over_tls(home.clone(), history, seed(), writes),
            clients::over_tls(home.clone(), history, seed(), writes),
            clients::over_tls(home, history, seed(), writes),
            in_process,
        );
        self.history.read_on(&rig.server).await;
        for version in self.history.versions(0, since) {
            let seen = watch.next().await.expect("the watch goes on");
            assert_eq!(seen["object"]["metadata"]["resourceVersion"], json!(version.to_string()), "{seen}");
        }
    }

    /// Closes the server, or finds out why it cannot be.
    async fn end(&mut self, rig: &Rig) -> End {
        let ready = rig.call("GET", "/readyz", &[], "").await;
        if ready.code == 200 && rig.server.close().await.is_ok() {
            self.history.promise(Promise::Version(self.history.given()));
            return End::Closed;
        }
        let ready = rig.call("GET", "/readyz", &[], "").await;
        assert_eq!(ready.code, 500, "{}", ready.text);
        let map = json!({"metadata": {"name": "too-late"}}).to_string();
        let refused = rig.call("POST", MAPS, &[], &map).await;
        assert_eq!(refused.code, 500, "{}", refused.text);
        // Lists fail where the disk does, or are as they should be.
        let _ = self.history.check_state(&rig.server).await;
        End::Failed { ready: ready.text }
    }

    /// Looks at what there is: nothing goes wrong any more.
    pub(crate) fn check_only(&mut self) {
        runtime().block_on(async {
            let server = self.open().await.unwrap();
            self.history.check_opened(&server).await.unwrap();
            let rig = Rig::of(server.clone()).await;
            self.check_old_versions(&rig).await;
            self.history.read_on(&server).await;
            server.close().await.unwrap();
            self.history.promise(Promise::Version(self.history.given()));
        });
    }

    /// Who comes back with a version from before goes on, or is told that this cannot be.
    async fn check_old_versions(&self, rig: &Rig) {
        let newest = self.history.opened_at;
        let mut watch = rig.watch(&format!("{MAPS}?watch=1&resourceVersion={newest}"), &[]).await;
        let probe = rig.post(MAPS, &json!({"metadata": {"generateName": "probe-"}})).await;
        let name = probe["metadata"]["name"].as_str().unwrap().to_owned();
        assert_eq!(watch.next().await.unwrap()["object"]["metadata"]["name"], json!(name));
        let written: u64 = version(&probe);
        assert!(written > self.history.given(), "{written} was given before");
        let exact = |version: u64| format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact");
        let list = rig.call("GET", &exact(newest), &[], "").await;
        assert_eq!(list.code, 200, "{}", list.text);
        assert!(
            list.json["items"].as_array().unwrap().iter().all(|map| map["metadata"]["name"] != json!(name))
        );

        let lost = [newest + 1, self.history.given(), written - 1].into_iter();
        for lost in lost.filter(|lost| (newest + 1..written).contains(lost)) {
            let list = rig.call("GET", &exact(lost), &[], "").await;
            assert_eq!(list.code, 410, "{lost} of {newest}..{written}: {}", list.text);
            let mut watch = rig.watch(&format!("{MAPS}?watch=1&resourceVersion={lost}"), &[]).await;
            assert_eq!(watch.next().await.unwrap()["object"]["code"], json!(410));
            let stale =
                json!({"metadata": {"name": name, "resourceVersion": lost.to_string()}, "data": {"a": "b"}});
            let update = rig.call("PUT", &format!("{MAPS}/{name}"), &[], &stale.to_string()).await;
            assert_eq!(update.code, 409, "{}", update.text);
        }
        // What came before is not known change by change any more.
        if newest > 1 {
            let mut watch = rig.watch(&format!("{MAPS}?watch=1&resourceVersion={}", newest - 1), &[]).await;
            let first = watch.next().await.unwrap();
            assert_eq!(first["object"]["code"], json!(410), "{first}");
        }
        let deleted = rig.call("DELETE", &format!("{MAPS}/{name}"), &[], "").await;
        assert_eq!(deleted.code, 200, "{}", deleted.text);
    }
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
