//! What a kill -9 leaves.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use apiserver::{ApiServer, Options};
use objects::{Error, ListOptions};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Container, Pod, PodSpec},
};

use crate::rig::{Rig, named};

/// Where the child of [`a_crash_loses_nothing_that_was_acknowledged`] keeps its state.
const DIR: &str = "EBB_TEST_CRASH_DIR";
/// Writes before the child is killed.
const WRITES: usize = 200;

fn pod(name: &str) -> Pod {
    let container = Container { name: "c".into(), image: Some("i".into()), ..Container::default() };
    let spec = PodSpec { containers: vec![container], ..PodSpec::default() };
    Pod { metadata: named(name), spec: Some(spec), ..Pod::default() }
}

/// Writes until it is killed: ConfigMaps, of each of which it says that it was acknowledged, and pods, which are not
/// waited for. Without its directory it is not a child of the test below, and does nothing.
#[tokio::test]
async fn crashing_writer() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let client = ApiServer::open(Options::new(PathBuf::from(dir))).await.unwrap().client();
    for number in 0.. {
        client.create(pod(&format!("p{number:06}"))).await.unwrap();
        let map = client
            .create(ConfigMap { metadata: named(&format!("m{number:06}")), ..ConfigMap::default() })
            .await;
        let version = map.unwrap().metadata.resource_version.clone().unwrap();
        client.create(pod(&format!("q{number:06}"))).await.unwrap();
        writeln!(std::io::stdout(), "acknowledged {number} {version}").unwrap();
    }
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let data_dir = dir.path().join(round.to_string());
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "durability::crashing_writer", "--nocapture"])
            .env(DIR, &data_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
        let acknowledged = lines
            .filter(|line| line.starts_with("acknowledged "))
            .nth(WRITES - 1)
            .expect("the writer goes on");
        writer.kill().unwrap();
        writer.wait().unwrap();

        let server = ApiServer::open(Options::new(&data_dir)).await.unwrap();
        let client = server.client();
        let version: u64 = acknowledged.rsplit(' ').next().unwrap().parse().unwrap();
        let maps = client.list::<ConfigMap>(&ListOptions::namespace("default")).await.unwrap();
        assert!(maps.items.len() >= WRITES, "{} of {WRITES}", maps.items.len());
        // A prefix of the history: whoever is there has all its predecessors.
        let pods = client.list::<Pod>(&ListOptions::namespace("default")).await.unwrap();
        let count = |prefix: &str| pods.items.iter().filter(|pod| pod.name().starts_with(prefix)).count();
        assert!(
            count("p") >= maps.items.len() && maps.items.len() >= count("q"),
            "{} {} {}",
            count("p"),
            maps.items.len(),
            count("q")
        );
        assert!(count("q") >= maps.items.len() - 1);

        // The present version can be followed, the lost ones cannot, and no version is given twice.
        let listed: u64 = maps.version.parse().unwrap();
        assert!(listed >= version);
        let follow = async |version: u64| {
            client
                .backend()
                .changes(ConfigMap::kind(), &ListOptions::all(), &version.to_string())
                .await
                .map(drop)
        };
        follow(listed).await.unwrap();
        assert!(matches!(follow(listed + 1).await, Err(Error::Expired(_))));
        let next =
            client.create(ConfigMap { metadata: named("after"), ..ConfigMap::default() }).await.unwrap();
        let next_version: u64 = next.metadata.resource_version.as_ref().unwrap().parse().unwrap();
        assert!(next_version > listed + 1);
        assert!(matches!(follow(listed + 1).await, Err(Error::Expired(_))));
        follow(listed).await.unwrap();
        let rig = Rig::of(server.clone()).await;
        for (version, code) in [(listed, 200), (listed + 1, 410), (next_version, 200)] {
            let query = format!("resourceVersion={version}&resourceVersionMatch=Exact");
            let list =
                rig.call("GET", &format!("/api/v1/namespaces/default/configmaps?{query}"), &[], "").await;
            assert_eq!(list.code, code, "{version} of {listed}, {next_version}: {}", list.text);
        }
        drop(rig);
        let mut stale = ConfigMap::clone(&*maps.items[0]);
        stale.metadata.resource_version = Some((listed + 1).to_string());
        assert!(client.update(stale).await.unwrap_err().is_conflict());
        server.close().await.unwrap();
    }
}

#[tokio::test]
async fn an_orderly_end_keeps_everything_and_the_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let server = ApiServer::open(Options::new(dir.path())).await.unwrap();
    let second = ApiServer::open(Options::new(dir.path())).await;
    assert!(matches!(second.map(drop), Err(apiserver::Error::Storage(_))), "two servers share a directory");
    let created = server.client().create(pod("p")).await.unwrap();
    let authority = server.ca_certificate().to_owned();
    server.close().await.unwrap();
    drop(server);
    let server = ApiServer::open(Options::new(dir.path())).await.unwrap();
    let read = server.client().get::<Pod>(&ObjectKey::new("default", "p")).await.unwrap();
    assert_eq!(*read, *created);
    assert_eq!(server.ca_certificate(), authority);
    use std::os::unix::fs::PermissionsExt;
    let key = std::fs::metadata(dir.path().join("pki/ca.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}
