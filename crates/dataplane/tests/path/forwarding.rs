use http::{HeaderMap, Request, header};

use crate::rig::{App, HOST, Rig, get, limited, reply};
use resources::networking::HttpIngressPath;

/// An application that answers with the headers it got, one a line.
async fn mirror() -> App {
    App::new(|request| async move {
        let lines = |headers: &HeaderMap| {
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
                .collect::<String>()
        };
        let text = format!("{} {}\n{}", request.method(), request.uri(), lines(request.headers()));
        http::Response::builder()
            .header("keep-alive", "timeout=5")
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "1")
            .header("x-app", "2")
            .body(reply(text))
            .unwrap()
    })
    .await
}

#[tokio::test]
async fn headers_the_application_sees() {
    let app = mirror().await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let path = HttpIngressPath {
        append_headers: [("X-Path".to_owned(), "path".to_owned()), ("X-Both".to_owned(), "path".to_owned())]
            .into(),
        splits: {
            let mut split = crate::rig::split(&("hello-00001", 100));
            split.append_headers.insert("X-Both".into(), "split".into());
            vec![split]
        },
        ..Default::default()
    };
    rig.ingress(HOST, vec![path]);
    let plain = "forwarded: for=127.0.0.1;proto=http";
    // (client's header, a line that must be there, a name that must not)
    let cases = [
        (("x-a", "1"), "x-a: 1", "knative-serving-revision"),
        (("x-a", "1"), "x-path: path", "knative-serving-namespace"),
        (("x-both", "client"), "x-both: split", "te"),
        (("x-a", "1"), "x-forwarded-for: 127.0.0.1", "connection"),
        (("x-a", "1"), "x-forwarded-proto: http", "upgrade"),
        (("x-a", "1"), plain, "k-proxy-request"),
        (("x-forwarded-for", "10.0.0.1"), "x-forwarded-for: 10.0.0.1, 127.0.0.1", "via"),
        (
            ("x-forwarded-for", "10.0.0.1, ::1"),
            "forwarded: for=10.0.0.1;proto=http, for=\"[::1]\", for=127.0.0.1",
            "via",
        ),
        (("x-forwarded-proto", "https"), "x-forwarded-proto: https", "via"),
        (("x-forwarded-host", "a.b"), "forwarded: for=127.0.0.1;host=a.b;proto=http", "via"),
        (("forwarded", "for=me"), "forwarded: for=me", "via"),
        (("knative-serving-tag", "blue"), "x-path: path", "knative-serving-tag"),
        (("k-original-host", "evil.example"), "host: hello.default.localhost", "k-original-host"),
        (("k-proxy-request", "activator"), "x-path: path", "k-proxy-request"),
        (("connection", "x-hop"), "x-path: path", "x-hop"),
        (("te", "trailers"), "te: trailers", "expect"),
        (("te", "gzip"), "x-path: path", "te"),
    ];
    let mut client = rig.client().await;
    for ((name, value), there, absent) in cases {
        let mut request = get("/a/b?c=d");
        request.headers_mut().insert("x-hop", "secret".parse().unwrap());
        request.headers_mut().insert(name, value.parse().unwrap());
        let reply = client.read(request).await;
        let lines: Vec<_> = reply.body.lines().collect();
        assert_eq!(lines[0], "GET /a/b?c=d");
        assert!(lines.contains(&there), "{name}: {value}: no {there:?} in {lines:#?}");
        let absent = format!("{absent}: ");
        assert!(
            !lines.iter().any(|line| line.starts_with(&absent)),
            "{name}: {value}: {absent:?} in {lines:#?}"
        );
    }
}

#[tokio::test]
async fn headers_the_client_sees() {
    let app = mirror().await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let reply = rig.get("/").await;
    assert_eq!(reply.header("x-app"), Some("2"));
    for hop in ["x-hop", "connection", "keep-alive", "server-timing"] {
        assert_eq!(reply.header(hop), None, "{hop}");
    }
}

#[tokio::test]
async fn absolute_requests_and_http2_have_their_host_from_the_uri() {
    let app = mirror().await;
    let rig = Rig::serving(limited(0), &[&app]).await;
    let request =
        Request::get(format!("http://{HOST}/x")).header(header::HOST, "ignored").body(crate::rig::empty());
    let reply = rig.client().await.read(request.unwrap()).await;
    assert!(reply.body.starts_with("GET /x\n"), "{reply:?}");
    assert!(reply.body.contains(&format!("host: {HOST}\n")), "{reply:?}");

    let mut client = crate::rig::Client::http2(rig.address).await;
    let reply = client.get("/y").await;
    assert!(reply.body.starts_with("GET /y\n"), "{reply:?}");
    assert!(reply.body.contains(&format!("host: {HOST}\n")), "{reply:?}");
}
