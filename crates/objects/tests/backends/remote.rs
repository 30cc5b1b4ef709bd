//! What only a remote home goes through: broken connections, servers that do not answer, kinds that are not served.

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use apiserver::{ApiServer, Options};
use objects::{
    Access, Backoff, Client, DeleteOptions, Error, ListOptions, Queue, Remote, RemoteLimits, RemoteOptions,
    Scope, queue_all,
};
use resources::{Object, builtin::ConfigMap, serving::Revision};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};

use crate::{
    home::{Home, PATIENCE, change, changes, synced, value, with_value},
    relay::Relay,
};

/// A home whose client reaches the server by a relay, and whose other client is in process.
async fn relayed(server: Options, remote: RemoteOptions) -> (Home, Relay, ApiServer) {
    let server = ApiServer::in_memory(server).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay::to(listener.local_addr().unwrap()).await;
    let kubeconfig = server.kubeconfig(&format!("https://{}", relay.address)).unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
    let remote = Remote::connect(Access::Kubeconfig(kubeconfig), remote).await.unwrap();
    let home = Home::new(Client::new(Arc::new(remote)), server.client(), "here".into()).await;
    (home, relay, server)
}

fn options() -> Options {
    Options::new("/nonexistent")
}

fn limits(limits: RemoteLimits) -> RemoteOptions {
    RemoteOptions { limits, ..RemoteOptions::default() }
}

#[tokio::test]
async fn a_watch_goes_on_where_its_connection_was_cut() {
    let (home, relay, _server) = relayed(options(), RemoteOptions::default()).await;
    let mut last = home.create(home.map("a", "0")).await;
    let mut watch = home.client.watch::<ConfigMap>(home.here());
    synced(&mut watch).await;
    for round in 1..=10 {
        relay.cut();
        last = home.other.update(with_value(&last, round)).await.unwrap();
        if round % 2 == 0 {
            let told = changes(&mut watch, |_, map| value(map) == round.to_string()).await;
            let values: Vec<_> =
                told.iter().map(|(_, map)| value(map)).filter(|value| *value != "0").collect();
            assert_eq!(values, [(round - 1).to_string(), round.to_string()]);
        }
    }
}

/// What is left out would not come by itself.
#[tokio::test]
async fn all_objects_are_queued_however_often_it_fails() {
    let (home, relay, _server) = relayed(options(), RemoteOptions::default()).await;
    for name in ["a", "b", "c"] {
        home.create(home.map(name, "0")).await;
    }
    relay.close();
    let queue = Queue::new(Backoff::default());
    let mut queued = pin!(queue_all::<ConfigMap>(&home.client, &queue));
    // Longer than a first attempt takes to fail.
    assert!(timeout(Duration::from_millis(200), &mut queued).await.is_err());
    assert_eq!(queue.len(), 0);
    relay.open();
    timeout(PATIENCE, queued).await.expect("all are queued");
    let mut names: Vec<_> = std::iter::from_fn(|| queue.try_next()).map(|key| key.name).collect();
    names.retain(|name| name.len() == 1);
    names.sort();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_gap_too_long_for_the_server_is_bridged() {
    let mut server = options();
    server.limits.changes_per_kind_max = 8;
    let (home, relay, _server) = relayed(server, RemoteOptions::default()).await;
    let mut last = home.create(home.map("a", "0")).await;
    let same_name = home.create(home.map("b", "0")).await;
    home.create(home.map("c", "0")).await;
    let mut watch = home.client.watch::<ConfigMap>(home.here());
    assert_eq!(synced(&mut watch).await.len(), 3);
    relay.close();
    for name in ["b", "c"] {
        home.other.delete::<ConfigMap>(&home.key(name), &DeleteOptions::default()).await.unwrap();
    }
    home.other.create(home.map("b", "1")).await.unwrap();
    for round in 1..=20 {
        last = home.other.update(with_value(&last, round)).await.unwrap();
    }
    // What was known is still there to be read.
    assert_eq!(value(&home.client.get::<ConfigMap>(&home.key("a")).await.unwrap()), "0");
    relay.open();
    let told = changes(&mut watch, |there, map| there && map.name() == "b").await;
    let told: Vec<_> = told.iter().map(|(there, map)| (*there, map.name(), value(map))).collect();
    let after_the_list = told.iter().position(|(there, name, _)| !there && *name == "c").unwrap();
    let expect = [(false, "c", "0"), (true, "a", "20"), (false, "b", "0"), (true, "b", "1")];
    assert_eq!(told[after_the_list..], expect);
    assert_ne!(home.client.get::<ConfigMap>(&home.key("b")).await.unwrap().uid(), same_name.uid());
}

#[tokio::test]
async fn watches_share_one_stream() {
    let (home, relay, _server) = relayed(options(), RemoteOptions::default()).await;
    let mut watches: Vec<_> = (0..20).map(|_| home.client.watch::<ConfigMap>(ListOptions::all())).collect();
    for watch in &mut watches {
        synced(watch).await;
    }
    for _ in 0..20 {
        home.names(&home.here()).await;
    }
    // One for the watch, one for everything else.
    assert!(relay.connections() <= 2, "{} connections", relay.connections());
}

#[tokio::test]
async fn a_watch_that_ends_again_and_again_misses_nothing() {
    let short = RemoteLimits {
        watch_timeout: Duration::from_secs(1),
        watch_idle_max: Duration::from_millis(20),
        ..RemoteLimits::default()
    };
    let (home, _relay, _server) = relayed(options(), limits(short)).await;
    let mut last = home.create(home.map("a", "0")).await;
    let mut watch = home.client.watch::<ConfigMap>(home.here());
    synced(&mut watch).await;
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < Duration::from_millis(2500) {
        round += 1;
        last = home.other.update(with_value(&last, round)).await.unwrap();
        let told = changes(&mut watch, |_, map| value(map) == round.to_string()).await;
        assert!(told.len() == 1 || round == 1, "{told:?}");
    }
}

#[tokio::test]
async fn a_scope_is_all_that_lists_and_watches_see() {
    let scope = Scope { labels: [("app".to_owned(), "web".to_owned())].into(), ..Scope::default() };
    let scopes = HashMap::from([(ConfigMap::kind(), scope)]);
    let (home, _relay, _server) =
        relayed(options(), RemoteOptions { scopes, ..RemoteOptions::default() }).await;
    let map = home.create(home.labelled("a", "web")).await;
    home.create(home.labelled("b", "db")).await;
    let mut watch = home.client.watch::<ConfigMap>(ListOptions::all());
    assert_eq!(synced(&mut watch).await.len(), 1);
    home.create(home.labelled("c", "db")).await;
    assert_eq!(home.names(&ListOptions::all()).await, ["a"]);
    assert!(
        home.client.find::<ConfigMap>(&home.key("c")).await.unwrap().is_some(),
        "by name everything is there"
    );

    let mut leaving = ConfigMap::clone(&map);
    leaving.metadata.labels = None;
    home.client.update(leaving).await.unwrap();
    changes(&mut watch, |there, map| !there && map.name() == "a").await;
    assert_eq!(home.names(&ListOptions::all()).await, [""; 0]);
    assert!(home.client.find::<ConfigMap>(&home.key("a")).await.unwrap().is_some());
}

#[tokio::test]
async fn what_takes_too_long_or_grows_too_large_says_which_limit_it_met() {
    let (home, relay, server) =
        relayed(options(), limits(RemoteLimits { body_bytes_max: 2000, ..RemoteLimits::default() })).await;
    let error = home.client.create(home.map("a", &"x".repeat(3000))).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable(message) if message.contains("body_bytes_max (2000)")),
        "{error:?}"
    );

    relay.close();
    let error = home.client.get::<ConfigMap>(&home.key("a")).await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable(message) if message.contains("GET /api/v1/")), "{error:?}");

    // A server that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kubeconfig = server.kubeconfig(&format!("https://{}", silent.local_addr().unwrap())).unwrap();
    let short =
        limits(RemoteLimits { request_timeout: Duration::from_millis(200), ..RemoteLimits::default() });
    let client = Client::new(Arc::new(Remote::connect(Access::Kubeconfig(kubeconfig), short).await.unwrap()));
    let error = client.list::<ConfigMap>(&ListOptions::all()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable(message) if message.contains("request_timeout (0.2 s)")),
        "{error:?}"
    );
}

#[tokio::test]
async fn small_limits_make_it_slower_and_nothing_else() {
    let small = RemoteLimits { requests_max: 1, page_max: 2, ..RemoteLimits::default() };
    let (home, relay, _server) = relayed(options(), limits(small)).await;
    let names: Vec<_> = (0..9).map(|number| format!("map-{number}")).collect();
    futures::future::join_all(names.iter().map(|name| home.create(home.map(name, "")))).await;
    assert_eq!(relay.connections(), 1, "one request at a time needs one connection");
    assert_eq!(home.names(&home.here()).await, names);
}

#[tokio::test]
async fn a_kubeconfig_that_is_none_says_so() {
    let error = Remote::connect(Access::Kubeconfig("clusters: 5".into()), RemoteOptions::default())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, Error::BadRequest(message) if message.contains("cannot use the kubeconfig")),
        "{error:?}"
    );
}

/// Run where no CustomResourceDefinition is installed yet.
pub(crate) async fn a_kind_is_followed_as_soon_as_it_is_served(client: Client, install: impl FnOnce()) {
    let error = client.list::<Revision>(&ListOptions::all()).await.unwrap_err();
    let expect = "serving.knative.dev/v1 Revision is not served: \
                  install the CustomResourceDefinition revisions.serving.knative.dev";
    assert!(matches!(&error, Error::Unavailable(message) if message == expect), "{error:?}");
    let mut watch = client.watch::<Revision>(ListOptions::all());
    let waiting = tokio::spawn(async move { synced(&mut watch).await.len() });
    install();
    let there = tokio::time::timeout(PATIENCE, waiting).await.expect("the watch finds the kind by itself");
    assert_eq!(there.unwrap(), 0);
}

#[tokio::test]
async fn a_watch_outlives_its_client_by_nothing() {
    let (home, _relay, _server) = relayed(options(), RemoteOptions::default()).await;
    home.create(home.map("a", "0")).await;
    let backend = Arc::clone(home.client.backend());
    let listed = backend.list(ConfigMap::kind(), &ListOptions::all()).await.unwrap();
    let mut rest = backend.changes(ConfigMap::kind(), &ListOptions::all(), &listed.version).await.unwrap();
    let mut watch = home.client.watch::<ConfigMap>(home.here());
    synced(&mut watch).await;
    home.other.create(home.map("b", "0")).await.unwrap();
    change(&mut watch).await;
    drop((backend, home.client, watch));
    let end = tokio::time::timeout(PATIENCE, async {
        loop {
            match futures::StreamExt::next(&mut rest).await {
                Some(Ok(_)) => {}
                end => return end,
            }
        }
    });
    assert!(matches!(end.await.unwrap(), Some(Err(Error::Unavailable(_)))));
}
