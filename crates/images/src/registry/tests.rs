//! Against a registry of our own on loopback: one image, served as each case wants.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;

use super::{Keyring, Registries, RegistryConfig};
use crate::manifest::{INDEX, MANIFEST};
use crate::{
    Digest, Error, FileSystem, ImageBuilder, ImageConfig, Layers, Limits, Reference, RegistryCause, Store,
    StoreConfig,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Open,
    Basic,
    Bearer,
    /// Neither the digest header nor anything but GET.
    Plain,
    /// Answers no manifest, ever.
    Silent,
    Broken,
    Throttled,
    /// Blobs with other bytes than their digest says.
    Lying,
    /// Blobs longer than their descriptor says.
    Endless,
    /// Manifests longer than any may be.
    LongManifest,
    /// Refuses with more words than anybody reads.
    LongRefusal,
}

struct Registry {
    mode: Mode,
    /// By the last part of the path: tag or digest.
    content: HashMap<String, (&'static str, Bytes)>,
    blobs_sent: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

const USER: &str = "Basic dXNlcjpwYXNz";

fn image() -> (Digest, HashMap<String, (&'static str, Bytes)>) {
    let builder = ImageBuilder {
        files: FileSystem::new().file("/a", 0o644, "x".repeat(100)).unwrap(),
        config: ImageConfig { cmd: vec!["run".into()], ..ImageConfig::default() },
    };
    let mut archive = Vec::new();
    let digest = builder.write_archive(&"x".parse().unwrap(), &mut archive).unwrap();
    let mut content = HashMap::new();
    for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let kind = if name == digest.hex() { MANIFEST } else { "application/octet-stream" };
        content.insert(format!("sha256:{name}"), (kind, Bytes::from(bytes)));
    }
    let manifest = content[digest.as_str()].clone();
    let platform = crate::manifest::Platform::host();
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": digest, "size": manifest.1.len(), "platform": platform}]});
    let index = Bytes::from(index.to_string());
    content.insert("v1".into(), manifest);
    content.insert(Digest::of(&index).to_string(), (INDEX, index.clone()));
    content.insert("multi".into(), (INDEX, index));
    (digest, content)
}

impl Registry {
    async fn answer(&self, request: Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        self.seen.lock().push(format!("{} {path}", request.method()));
        let authorization = request.headers().get("authorization").map(|v| v.to_str().unwrap());
        if path == "/token" {
            let known = authorization == Some(USER);
            let (status, body) = if known { (200, r#"{"token":"t0ken"}"#) } else { (401, "no") };
            return reply(status, "application/json", body.into());
        }
        let wanted = match self.mode {
            Mode::Basic => Some((USER, "Basic realm=\"r\"".to_owned())),
            Mode::Bearer => {
                let host = request.headers()["host"].to_str().unwrap();
                Some(("Bearer t0ken", format!("Bearer realm=\"http://{host}/token\",service=\"s\"")))
            }
            _ => None,
        };
        if let Some((credentials, challenge)) = wanted
            && authorization != Some(credentials)
        {
            let mut refused = reply(401, "text/plain", Bytes::new());
            refused.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
            return refused;
        }
        if path == "/v2/" {
            return reply(200, "application/json", "{}".into());
        }
        let name = path.rsplit('/').next().unwrap();
        match (self.mode, path.contains("/manifests/")) {
            (Mode::Silent, true) => std::future::pending().await,
            (Mode::LongManifest, true) => {
                return reply(200, MANIFEST, vec![b' '; MANIFEST_BYTES_MAX + 1].into());
            }
            (Mode::LongRefusal, _) => return reply(403, "text/plain", vec![b'x'; 1 << 20].into()),
            (Mode::Broken, _) => return reply(500, "text/html", "<h1>oh\nno</h1>".into()),
            (Mode::Throttled, _) => {
                let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
                return reply(429, "application/json", body.into());
            }
            (Mode::Plain, _) if request.method() == Method::HEAD => {
                return reply(200, MANIFEST, Bytes::new());
            }
            _ => {}
        }
        let Some((kind, bytes)) = self.content.get(name) else {
            let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
            return reply(404, "application/json", body.into());
        };
        let mut bytes = bytes.clone();
        if path.contains("/blobs/") {
            self.blobs_sent.fetch_add(1, Ordering::SeqCst);
            match self.mode {
                Mode::Lying => bytes = vec![0; bytes.len()].into(),
                Mode::Endless => bytes = [bytes.as_ref(), b"more"].concat().into(),
                _ => {}
            }
        }
        let mut found = reply(200, kind, bytes.clone());
        if path.contains("/manifests/") && self.mode != Mode::Plain {
            let digest = Digest::of(&bytes).to_string();
            found.headers_mut().insert("docker-content-digest", digest.parse().unwrap());
        }
        found
    }
}

fn reply(status: u16, kind: &str, body: Bytes) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).header("content-type", kind).body(Full::new(body)).unwrap()
}

struct Running {
    registry: Arc<Registry>,
    address: SocketAddr,
    digest: Digest,
    store: Store,
    _dir: tempfile::TempDir,
}

impl Running {
    async fn start(mode: Mode) -> Running {
        // The process's TLS provider, as `main` installs it; a second time is an error to ignore.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (digest, content) = image();
        let registry = Arc::new(Registry { mode, content, blobs_sent: 0.into(), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&registry);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let registry = Arc::clone(&serving);
                let service = service_fn(move |request| {
                    let registry = Arc::clone(&registry);
                    async move { Ok::<_, Infallible>(registry.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig { layers: Layers::Flat, ..StoreConfig::new(dir.path()) };
        Running { registry, address, digest, store: Store::open(config).unwrap(), _dir: dir }
    }

    fn reference(&self, rest: &str) -> Reference {
        format!("{}/team/app{rest}", self.address).parse().unwrap()
    }

    fn keyring(&self, auth: &str) -> Keyring {
        let mut keyring = Keyring::default();
        let json = format!(r#"{{"auths": {{"http://{}/v2/": {{"auth": "{auth}"}}}}}}"#, self.address);
        keyring.add_docker_config(json.as_bytes()).unwrap();
        keyring
    }
}

fn registries() -> Registries {
    Registries::new(RegistryConfig {
        manifest_timeout: Duration::from_millis(500),
        ..RegistryConfig::default()
    })
}

/// What the tests let a manifest be.
const MANIFEST_BYTES_MAX: usize = 10_000;

#[tokio::test]
async fn what_a_registry_says_is_read_up_to_a_limit() {
    let running = Running::start(Mode::LongManifest).await;
    let reference = running.reference(":v1");
    let config =
        RegistryConfig { manifest_bytes_max: MANIFEST_BYTES_MAX as u64, ..RegistryConfig::default() };
    let registries = Registries::new(config);
    let resolved = registries.resolve(&reference, &Keyring::default()).await.unwrap_err();
    let pulled = registries.pull(&running.store, &reference, &Keyring::default()).await.unwrap_err();
    for error in [resolved, pulled] {
        let message = error.to_string();
        assert!(message.ends_with("the manifest is longer than manifest_bytes_max = 10000"), "{message}");
    }
    let running = Running::start(Mode::LongRefusal).await;
    let refused = registries.resolve(&running.reference(":v1"), &Keyring::default()).await.unwrap_err();
    let message = refused.to_string();
    assert!(message.contains("unauthorized: HTTP 403 xxx") && message.len() < 400, "{message}");
}

fn cause(error: Error) -> RegistryCause {
    match error {
        Error::Registry { cause, .. } => cause,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn tags_resolve_and_images_arrive() {
    for mode in [Mode::Open, Mode::Basic, Mode::Bearer, Mode::Plain] {
        let running = Running::start(mode).await;
        let keyring = running.keyring("dXNlcjpwYXNz");
        let reference = running.reference(":v1");
        let digest =
            registries().resolve(&reference, &keyring).await.unwrap_or_else(|e| panic!("{mode:?}: {e}"));
        assert_eq!(digest, running.digest, "{mode:?}");
        let image = registries().pull(&running.store, &reference, &keyring).await.unwrap();
        assert_eq!((&image.digest, &image.config.cmd[..]), (&running.digest, &["run".to_owned()][..]));
        // By digest, under another tag, and with everything present already.
        registries().pull(&running.store, &reference.at(digest), &keyring).await.unwrap();
        assert_eq!(running.registry.blobs_sent.load(Ordering::SeqCst), 2, "config and layer, once");
    }
}

#[tokio::test]
async fn an_index_gives_this_machines_image() {
    let running = Running::start(Mode::Open).await;
    let reference = running.reference(":multi");
    let digest = registries().resolve(&reference, &Keyring::default()).await.unwrap();
    let image = registries().pull(&running.store, &reference, &Keyring::default()).await.unwrap();
    assert_eq!((&image.digest, &image.manifest), (&digest, &running.digest));
    assert!(running.store.get(&reference.at(digest)).is_some());
    let head = "HEAD /v2/team/app/manifests/multi".to_owned();
    assert!(running.registry.seen.lock().contains(&head));
}

#[tokio::test]
async fn failures_say_registry_image_and_cause() {
    use RegistryCause::*;
    type Case<'a> = (Mode, &'a str, &'a str, fn(&RegistryCause) -> bool, &'a str);
    let cases: [Case<'_>; 7] = [
        (Mode::Open, ":none", "", |c| matches!(c, NotFound(_)), "not found: manifest unknown"),
        (
            Mode::Basic,
            ":v1",
            "",
            |c| matches!(c, Unauthorized(_)),
            "unauthorized: credentials are missing or wrong",
        ),
        (Mode::Basic, ":v1", "dXNlcjpub3Q=", |c| matches!(c, Unauthorized(_)), "unauthorized: "),
        (Mode::Bearer, ":v1", "dXNlcjpub3Q=", |c| matches!(c, Unauthorized(_)), "unauthorized: "),
        (Mode::Silent, ":v1", "", |c| matches!(c, Timeout(_)), "no answer within 500ms"),
        (Mode::Broken, ":v1", "", |c| matches!(c, Unavailable(_)), "failed: HTTP 500 <h1>oh no</h1>"),
        (Mode::Throttled, ":v1", "", |c| matches!(c, Unavailable(_)), "failed: slow down"),
    ];
    for (mode, tag, auth, is, text) in cases {
        let running = Running::start(mode).await;
        let keyring = if auth.is_empty() { Keyring::default() } else { running.keyring(auth) };
        let reference = running.reference(tag);
        let resolved = registries().resolve(&reference, &keyring).await.unwrap_err();
        let pulled = registries().pull(&running.store, &reference, &keyring).await.unwrap_err();
        for (action, error) in [("resolving", resolved), ("pulling", pulled)] {
            let message = error.to_string();
            let expect = format!("{action} {reference}: registry {}: {text}", running.address);
            assert!(message.starts_with(&expect), "{mode:?}: {message}");
            assert!(is(&cause(error)), "{mode:?}: {message}");
        }
        assert!(running.store.list().is_empty());
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Bound and let go: nothing listens there.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let reference: Reference = format!("{address}/app:v1").parse().unwrap();
    let error = registries().resolve(&reference, &Keyring::default()).await.unwrap_err();
    assert!(error.to_string().contains("unreachable: Connection refused"), "{error}");
    assert!(matches!(cause(error), RegistryCause::Unreachable(_)));
}

#[tokio::test]
async fn content_that_is_not_as_described_is_refused() {
    for (mode, text) in [(Mode::Lying, "invalid answer: "), (Mode::Endless, "is longer than")] {
        let running = Running::start(mode).await;
        let reference = running.reference(":v1");
        let error = registries().pull(&running.store, &reference, &Keyring::default()).await.unwrap_err();
        assert!(error.to_string().contains(text), "{mode:?}: {error}");
        assert!(matches!(cause(error), RegistryCause::Invalid(_)));
        assert!(running.store.list().is_empty());
    }
}

#[tokio::test]
async fn an_image_past_the_limit_is_not_fetched() {
    let running = Running::start(Mode::Open).await;
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { archive_bytes_max: 100, ..Limits::default() };
    let store =
        Store::open(StoreConfig { layers: Layers::Flat, limits, ..StoreConfig::new(dir.path()) }).unwrap();
    let error = registries().pull(&store, &running.reference(":v1"), &Keyring::default()).await.unwrap_err();
    assert!(error.to_string().ends_with("is larger than archive_bytes_max = 100"), "{error}");
    assert_eq!(running.registry.blobs_sent.load(Ordering::SeqCst), 0);
}

#[test]
fn credentials_are_chosen_as_the_kubelet_does() {
    use super::keyring::Credentials::{self, Anonymous, Basic, Bearer};
    let mut keyring = Keyring::default();
    // `b64` is base64 of user:password.
    let config = br#"{"auths": {
        "https://index.docker.io/v1/": {"auth": "aHViOng="},
        "gcr.io": {"username": "gcr", "password": "x"},
        "gcr.io/my-project": {"username": "project", "password": "x", "auth": ""},
        "*.example.com:5000": {"username": "star", "password": "x"},
        "token.io": {"registrytoken": "t"},
        "nothing.io": {}
    }}"#;
    keyring.add_docker_config(config).unwrap();
    keyring.add_docker_config(br#"{"old.io": {"auth": "b2xkOng="}}"#).unwrap();
    let basic = |user: &str| Basic(user.to_owned(), "x".to_owned());
    let cases: [(&str, Credentials); 10] = [
        ("nginx", basic("hub")),
        ("gcr.io/other/app", basic("gcr")),
        ("gcr.io/my-project/app", basic("project")),
        ("gcr.io/my-projects/app", basic("gcr")),
        ("a.example.com:5000/app", basic("star")),
        ("a.example.com/app", Anonymous),
        ("a.b.example.com:5000/app", Anonymous),
        ("token.io/app", Bearer("t".to_owned())),
        ("nothing.io/app", Anonymous),
        ("old.io/app", basic("old")),
    ];
    for (reference, expect) in cases {
        assert_eq!(keyring.auth(&reference.parse().unwrap()), expect, "{reference}");
    }
    assert!(!format!("{keyring:?}").contains("hub"), "no secrets in logs");
    for bad in ["", "[]", r#"{"auths": {"a.io": {"auth": "!"}}}"#, r#"{"auths": {"a.io": {"auth": "YQ=="}}}"#]
    {
        let error = Keyring::default().add_docker_config(bad.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("registry credentials: "), "{error}");
    }
}
