//! `pods/log` and mounted endpoints: what others bring to the API.

use std::{io, sync::Arc};

use apiserver::{Body, ExecOptions, Execution, Handler, Kubelet, LogOptions, RequestBody, User, full};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream, stream::BoxStream};
use http::{Request, Response};
use resources::builtin::Pod;
use serde_json::{Value, json};

use crate::rig::Rig;

/// Answers with what it was asked.
struct Echo;

impl Kubelet for Echo {
    fn logs(
        &self,
        pod: Arc<Pod>,
        container: &str,
        options: LogOptions,
    ) -> BoxFuture<'_, objects::Result<BoxStream<'static, io::Result<Bytes>>>> {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let lines = [
            format!("{name}/{container} tail {:?}\n", options.tail_lines),
            format!("follow {}\n", options.follow),
        ];
        let lines = stream::iter(lines.map(|line| Ok(Bytes::from(line))));
        let log = if options.follow { lines.chain(stream::pending()).boxed() } else { lines.boxed() };
        async move { Ok(log) }.boxed()
    }

    fn exec(&self, _: Arc<Pod>, _: &str, _: ExecOptions) -> BoxFuture<'_, objects::Result<Execution>> {
        async { Err(objects::Error::Internal("nothing runs here".to_owned())) }.boxed()
    }
}

impl Handler for Echo {
    fn handle(&self, user: User, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let text = format!("{} asks for {}", user.name, request.uri().path());
        async move { Response::new(full(text)) }.boxed()
    }
}

#[tokio::test]
async fn logs_come_from_the_kubelet() {
    let rig = Rig::start().await;
    let pods = "/api/v1/namespaces/default/pods";
    let container = |name: &str| json!({"name": name, "image": "i"});
    let pod = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
    rig.post(pods, &pod("one", json!({"nodeName": "n", "containers": [container("c")]}))).await;
    let two = [container("c"), container("d")];
    rig.post(pods, &pod("two", json!({"nodeName": "n", "containers": two}))).await;
    rig.post(pods, &pod("waits", json!({"containers": [container("c")]}))).await;
    assert_eq!(rig.call("GET", &format!("{pods}/one/log"), &[], "").await.code, 503, "there is no node yet");
    rig.server.set_kubelet(Arc::new(Echo));
    let log = rig.call("GET", &format!("{pods}/one/log?tailLines=5"), &[], "").await;
    assert_eq!(log.text, "one/c tail Some(5)\nfollow false\n");
    assert_eq!(
        rig.call("GET", &format!("{pods}/two/log?container=d"), &[], "").await.text,
        "two/d tail None\nfollow false\n"
    );
    let nothing = rig.call("GET", &format!("{pods}/waits/log"), &[], "").await;
    assert_eq!((nothing.code, &*nothing.text), (204, ""), "it runs nowhere");
    let cases = [
        ("two/log", 400, "a container name must be specified for pod two, choose one of: [c d]"),
        ("two/log?container=x", 400, "container x is not valid for pod two"),
        ("none/log", 404, "pods \"none\" not found"),
        (
            "one/log?tailLines=-1&limitBytes=0",
            422,
            "PodLogOptions \"one\" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]",
        ),
    ];
    for (path, code, message) in cases {
        let answer = rig.call("GET", &format!("{pods}/{path}"), &[], "").await;
        assert_eq!((answer.code, answer.json["message"].as_str()), (code, Some(message)), "{path}");
    }
}

#[tokio::test]
async fn mounted_endpoints_are_for_users_only() {
    let rig = Rig::start().await;
    rig.server.mount("/ebb/", Arc::new(Echo));
    assert_eq!(rig.call("POST", "/ebb/images", &[], "x").await.text, "ebb-admin asks for /ebb/images");
    assert_eq!(rig.call_as_stranger("/ebb/images").await.code, 403);
}
