//! What the conditions of each kind say, on the way and at its end.

use std::time::Duration;

use objects::WriteTarget;
use resources::{
    Object,
    annotations::{CLASS, CLASS_HPA},
    autoscaling::{Metric, PodAutoscaler},
    builtin::{Deployment, Pod},
    condition::Condition,
    networking::{Ingress, ServerlessService},
    serving::{Revision, Route, Service},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    home::{Home, VirtualTime, is, says},
    node::{HELD, LET_GO, STUCK},
};

const IMAGE: &str = "gcr.io/p/hello:v1";

fn hello(template: Value) -> Value {
    json!({"metadata": {"name": "hello"}, "spec": {"template": template}})
}

fn of_image(image: &str) -> Value {
    hello(json!({"spec": {"containers": [{"image": image}]}}))
}

/// Each condition's name, status and reason.
fn all(conditions: &[Condition]) -> Vec<(&str, &str, &str)> {
    conditions
        .iter()
        .map(|condition| (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_str()))
        .collect()
}

pub(crate) async fn of_every_kind_when_all_is_well(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(of_image(IMAGE)).await;
    home.service_ready("hello").await;
    let expect = [
        ("Active", "True", ""),
        ("Ready", "True", ""),
        ("SKSReady", "True", ""),
        ("ScaleTargetInitialized", "True", ""),
    ];
    home.until("hello-00001", "told in all", |autoscaler: &PodAutoscaler| {
        all(&autoscaler.status.conditions) == expect
    })
    .await;
    let sks = home.get::<ServerlessService>("hello-00001").await;
    let expect = [
        ("ActivatorEndpointsPopulated", "True", ""),
        ("EndpointsPopulated", "True", ""),
        ("Ready", "True", ""),
    ];
    assert_eq!(all(&sks.status.conditions), expect);
    let ingress = home.get::<Ingress>("hello").await;
    let expect =
        [("LoadBalancerReady", "True", ""), ("NetworkConfigured", "True", ""), ("Ready", "True", "")];
    assert_eq!(all(&ingress.status.conditions), expect);
    let route = home.get::<Route>("hello").await;
    let expect = [
        ("AllTrafficAssigned", "True", ""),
        ("CertificateProvisioned", "True", "TLSNotEnabled"),
        ("IngressReady", "True", ""),
        ("Ready", "True", ""),
    ];
    assert_eq!(all(&route.status.conditions), expect);
    let metric = home.get::<Metric>("hello-00001").await;
    assert_eq!(all(&metric.status.conditions), [("Ready", "True", "")]);
    let seconds = |seconds: u64| i64::try_from(Duration::from_secs(seconds).as_nanos()).unwrap();
    assert_eq!((metric.spec.stable_window, metric.spec.panic_window), (seconds(60), seconds(6)));
    assert_eq!(metric.spec.scrape_target, "", "the gateway reports all load, so no instance is asked");
}

pub(crate) async fn while_the_gateways_do_not_serve_it_yet(home: &Home) {
    home.load(&[IMAGE]);
    home.gateways.hold(true);
    home.apply::<Service>(of_image(IMAGE)).await;
    let ingress = home
        .until("hello", "configured", |ingress: &Ingress| {
            is(&ingress.status.conditions, "NetworkConfigured", "True")
        })
        .await;
    let expect = [
        ("LoadBalancerReady", "Unknown", "Uninitialized"),
        ("NetworkConfigured", "True", ""),
        ("Ready", "Unknown", "Uninitialized"),
    ];
    assert_eq!(all(&ingress.status.conditions), expect);
    home.until("hello", "waiting", |route: &Route| {
        says(&route.status.conditions, "IngressReady").1 == "Uninitialized"
    })
    .await;
    home.quiet().await;
    assert!(!is(&home.get::<Service>("hello").await.status.conditions, "Ready", "True"));
    home.gateways.hold(false);
    home.service_ready("hello").await;
}

pub(crate) async fn what_was_ready_stays_so_while_the_gateways_begin(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(of_image(IMAGE)).await;
    home.service_ready("hello").await;
    home.gateways.begin();
    let touch = |ingress: &mut Ingress| {
        ingress.metadata.labels.get_or_insert_default().insert("touched".into(), "yes".into());
    };
    home.client.modify(WriteTarget::Object, &home.key("hello"), touch).await.unwrap();
    home.quiet().await;
    assert!(is(&home.get::<Ingress>("hello").await.status.conditions, "Ready", "True"));
    home.gateways.have_begun();
    home.quiet().await;
    assert!(is(&home.get::<Service>("hello").await.status.conditions, "Ready", "True"));
}

pub(crate) async fn while_no_instance_comes_up_and_after_the_deadline(home: &Home) {
    const DEADLINE: Duration = Duration::from_secs(8);
    home.load(&[STUCK]);
    let begun = Instant::now();
    let template = json!({"metadata": {"annotations": {"serving.knative.dev/progress-deadline": "8s"}},
        "spec": {"containers": [{"image": STUCK}]}});
    home.apply::<Service>(hello(template)).await;
    let expect = [
        ("Active", "Unknown", "Queued"),
        ("Ready", "Unknown", "Queued"),
        ("SKSReady", "True", ""),
        ("ScaleTargetInitialized", "Unknown", ""),
    ];
    home.until("hello-00001", "waiting", |autoscaler: &PodAutoscaler| {
        all(&autoscaler.status.conditions) == expect
    })
    .await;
    let deployment = home.get::<Deployment>("hello-00001-deployment").await;
    let deadline = deployment.spec.as_ref().unwrap().progress_deadline_seconds;
    assert_eq!(deadline.map(i64::from), i64::try_from(DEADLINE.as_secs()).ok());
    let given_up = home.until("hello-00001", "given up", |revision: &Revision| {
        is(&revision.status.conditions, "ResourcesAvailable", "False")
    });
    let revision = home.within(DEADLINE * 2, given_up).await;
    assert_eq!(says(&revision.status.conditions, "ResourcesAvailable").1, "ProgressDeadlineExceeded");
    // The times in statuses are whole seconds.
    assert!(begun.elapsed() > DEADLINE - Duration::from_secs(1), "{:?}", begun.elapsed());
    home.until("hello", "told", |service: &Service| {
        says(&service.status.conditions, "ConfigurationsReady").1 == "RevisionFailed"
    })
    .await;
    let late = home.until("hello-00001-deployment", "late", |deployment: &Deployment| {
        let conditions = deployment.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.into_iter().flatten().any(|condition| {
            condition.type_ == "Progressing"
                && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
        })
    });
    home.within(Duration::from_secs(1), late).await;
}

pub(crate) async fn what_missed_its_deadline_has_failed_until_it_works(home: &Home, time: &VirtualTime) {
    home.load(&[HELD]);
    let annotations =
        json!({"serving.knative.dev/progress-deadline": "8s", "autoscaling.knative.dev/min-scale": "1"});
    let template =
        json!({"metadata": {"annotations": annotations}, "spec": {"containers": [{"image": HELD}]}});
    home.apply::<Service>(hello(template)).await;
    let first = home.until_all::<Pod>("one", |pods| pods.len() == 1).await;
    let has_failed = |revision: &Revision| {
        let (status, reason, _) = says(&revision.status.conditions, "ResourcesAvailable");
        (status, reason) == ("False", "ProgressDeadlineExceeded")
            && is(&revision.status.conditions, "Ready", "False")
    };
    home.until("hello-00001", "given up", has_failed).await;
    // Its least scale brings an instance back, which says nothing new.
    let next =
        home.until_all::<Pod>("another", |pods| pods.len() == 1 && pods[0].uid() != first[0].uid()).await;
    // Nor does it end for that: it has longer than the deadline and the half minute in which an instance is given up.
    for _ in 0..60 {
        time.pass(Duration::from_secs(1)).await;
        let pods = home.client.list::<Pod>(&home.here()).await.unwrap().items;
        assert!(pods.len() == 1 && pods[0].uid() == next[0].uid(), "{pods:?}");
        let revision = home.get::<Revision>("hello-00001").await;
        assert!(has_failed(&revision), "{:?}", revision.status.conditions);
        let service = home.get::<Service>("hello").await;
        assert!(is(&service.status.conditions, "Ready", "False"), "{:?}", service.status.conditions);
    }
    let let_go = |pod: &mut Pod| {
        pod.metadata.annotations.get_or_insert_default().insert(LET_GO.into(), "true".into());
    };
    home.client.modify(WriteTarget::Object, &next[0].key(), let_go).await.unwrap();
    home.revision_ready("hello-00001").await;
    home.service_ready("hello").await;
}

pub(crate) async fn of_a_serverless_service_that_is_there_before_its_deployment(home: &Home) {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "late"});
    let sks = json!({"metadata": {"name": "early"}, "spec": {"mode": "Proxy", "objectRef": target, "protocolType": "http1"}});
    home.apply::<ServerlessService>(sks).await;
    home.until("early", "waiting", |sks: &ServerlessService| {
        says(&sks.status.conditions, "EndpointsPopulated").1 == "CreatingPrivateService"
    })
    .await;
    let labels = json!({"app": "late"});
    let deployment = json!({"metadata": {"name": "late", "labels": {"serving.knative.dev/revision": "early"}}, "spec": {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": IMAGE}]}}}});
    home.apply::<Deployment>(deployment).await;
    home.until("early", "ready", |sks: &ServerlessService| is(&sks.status.conditions, "Ready", "True")).await;
}

pub(crate) async fn of_a_class_that_nothing_here_scales_by(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(of_image(IMAGE)).await;
    home.service_ready("hello").await;
    // As an earlier release has left it: admission lets no template ask for it.
    let key = home.key("hello-00001");
    let hpa = |autoscaler: &mut PodAutoscaler| {
        let annotations = autoscaler.metadata.annotations.get_or_insert_default();
        annotations.insert(CLASS.name().to_owned(), CLASS_HPA.to_owned());
    };
    home.client.modify(WriteTarget::Object, &key, hpa).await.unwrap();
    let revision = home
        .until("hello-00001", "told", |revision: &Revision| {
            is(&revision.status.conditions, "Active", "False")
        })
        .await;
    let (_, reason, message) = says(&revision.status.conditions, "Active");
    assert_eq!(reason, "ClassNotSupported");
    assert!(message.contains(CLASS_HPA) && message.contains("use kpa"), "{message}");
    let autoscaler = home.get::<PodAutoscaler>("hello-00001").await;
    assert_eq!(says(&autoscaler.status.conditions, "Ready").1, "ClassNotSupported");
    home.report("hello-00001", 1.0);
    home.quiet().await;
    assert!(home.scales_nothing(), "load of what is not decided on is not kept");
}

pub(crate) async fn what_the_configuration_says_of_revisions_reaches_them(home: &Home) {
    home.load(&[IMAGE]);
    home.configure("config-deployment", &[("progress-deadline", "77s")]).await;
    home.configure(
        "config-observability",
        &[("logging.revision-url-template", "http://logs.example.com/?uid=${REVISION_UID}")],
    )
    .await;
    let spec = json!({"timeoutSeconds": 20, "responseStartTimeoutSeconds": 10, "idleTimeoutSeconds": 5, "containerConcurrency": 3,
        "containers": [{"image": IMAGE}]});
    home.apply::<Service>(hello(json!({"spec": spec}))).await;
    home.service_ready("hello").await;
    let revision = home.get::<Revision>("hello-00001").await;
    let spec = &revision.spec;
    // What the gateway reads.
    let limits = (
        spec.timeout_seconds,
        spec.response_start_timeout_seconds,
        spec.idle_timeout_seconds,
        spec.container_concurrency,
    );
    assert_eq!(limits, (Some(20), Some(10), Some(5), Some(3)));
    assert_eq!(revision.status.log_url, Some(format!("http://logs.example.com/?uid={}", revision.uid())));
    let deployment = home.get::<Deployment>("hello-00001-deployment").await;
    let spec = deployment.spec.as_ref().unwrap();
    assert_eq!(spec.progress_deadline_seconds, Some(77));
    assert_eq!(spec.template.spec.as_ref().unwrap().termination_grace_period_seconds, Some(20));
    home.configure("config-observability", &[("logging.revision-url-template", "")]).await;
    let without =
        home.until("hello-00001", "without a log", |revision: &Revision| revision.status.log_url.is_none());
    home.within(Duration::from_secs(1), without).await;
}
