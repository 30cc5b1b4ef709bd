//! `ebb demo`: the main job end to end, as a short story with how long each step took.

mod call;
mod parts;

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use objects::{Client, Event, ListOptions};
use resources::{
    Object, ObjectKey,
    builtin::{Deployment, EnvVar},
    condition,
    meta::ObjectMeta,
    serving::{RevisionSpec, RevisionTemplateSpec, Service, ServiceSpec},
};
use tokio::time::{Instant, timeout};

use self::call::call;
use crate::{
    args::{Demo, RuntimeKind},
    sample,
    up::{self, HttpAddress, Options, Platform, Signals},
};

/// The service.
const NAME: &str = "hello";
/// The ports tried for requests; a demo has no option for others, so in the end any will do.
const HTTP_PORTS: &[u16] = &[80, 8080, 0];
/// The longest that a step may take before the story is given up.
const STEP_MAX: Duration = Duration::from_secs(30);

/// Tells the story, then serves until interrupted.
pub(crate) async fn run(options: Demo) -> Result<()> {
    // Before anything is there: a signal must not find its default action.
    let mut signals = Signals::listen()?;
    let kind = RuntimeKind::or_default(options.runtime);
    let dir = tempfile::Builder::new()
        .prefix("ebb-demo-")
        .tempdir()
        .context("making a temporary data directory, in /tmp or where TMPDIR says")?;
    say(format_args!("One service, from nothing to zero and back.\n"));
    if kind == RuntimeKind::Process {
        let why = match options.runtime {
            Some(_) => "as asked",
            None => "that is what can be done without root",
        };
        say(format_args!("  (containers run as plain processes, without isolation: {why})\n"));
    }

    let began = Instant::now();
    let setup = Options {
        data_dir: dir.path().to_owned(),
        secrets_key: None,
        api: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        http: HttpAddress::FirstOf(HTTP_PORTS),
        domain: None,
        runtime: kind,
        audit_log: None,
    };
    let Some(platform) = Platform::start(setup, &mut signals).await? else {
        return dir.close().context("removing the temporary data directory");
    };
    step("the platform is up", began.elapsed());

    let told = tokio::select! {
        told = tell(&platform, options.exit) => told,
        () = signals.stop() => {
            up::announce_stop();
            Ok(())
        }
    };
    let stopped = platform.stop(signals.stop()).await;
    dir.close().context("removing the temporary data directory")?;
    told.and(stopped)
}

/// The story, and after it how to go on; ends only when it shall or must.
async fn tell(platform: &Platform, exit: bool) -> Result<()> {
    story(platform).await?;
    if !exit {
        goodbye(platform);
        std::future::pending::<()>().await;
    }
    Ok(())
}

async fn story(platform: &Platform) -> Result<()> {
    let client = platform.client();
    let store = platform.images().clone();
    tokio::task::spawn_blocking(move || sample::load(&store)).await??;

    let began = Instant::now();
    client.create(service()).await.context("deploying the sample")?;
    let url = ready(&client).await?;
    step("`hello` is deployed, its first instance ready", began.elapsed());
    // Whoever wants to try it need not wait for the end.
    say(format_args!("              {url}\n"));

    let answer = call(platform.http_address(), &url).await?;
    step(&format!("called: {:?}", answer.body.trim()), answer.took);

    let began = Instant::now();
    at_zero(&client).await?;
    step("nobody calls, so it falls to zero: no process is left", began.elapsed());

    let answer = call(platform.http_address(), &url).await?;
    step(&format!("called again, it wakes: {:?}", answer.body.trim()), answer.took);
    if let Some(parts) = answer.server_timing.as_deref().map(parts::told) {
        say(format_args!("              of which {parts}\n"));
    }
    say(format_args!("\n"));
    Ok(())
}

fn goodbye(platform: &Platform) {
    say(format_args!("It keeps serving. Try it:\n\n"));
    say(format_args!("  curl -i {}\n", platform.example_url(NAME, "default")));
    for command in up::use_kubeconfig(&platform.kubeconfig()) {
        say(format_args!("  {command}\n"));
    }
    say(format_args!("  kubectl get ksvc,pods\n\n"));
    say(format_args!("Ctrl-C ends the demo and removes everything.\n"));
}

/// The sample: falls to zero within seconds of its last request.
fn service() -> Service {
    let annotations = [
        ("autoscaling.knative.dev/window", "6s"),
        ("autoscaling.knative.dev/scale-to-zero-pod-retention-period", "0s"),
    ];
    let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let container = resources::builtin::Container {
        image: Some(sample::IMAGE.to_owned()),
        env: Some(vec![EnvVar { name: "TARGET".into(), value: Some("Ebb".into()), value_from: None }]),
        ..Default::default()
    };
    let template = RevisionTemplateSpec {
        metadata: ObjectMeta { annotations: Some(annotations.into()), ..ObjectMeta::default() },
        spec: RevisionSpec { containers: vec![container], ..RevisionSpec::default() },
    };
    let metadata = ObjectMeta {
        name: Some(NAME.to_owned()),
        namespace: Some("default".to_owned()),
        ..ObjectMeta::default()
    };
    Service::new(metadata, ServiceSpec { template, traffic: Vec::new() })
}

/// Waits until the service is ready; returns its URL.
async fn ready(client: &Client) -> Result<String> {
    let mut watch = client
        .watch::<Service>(ListOptions { name: Some(NAME.to_owned()), ..ListOptions::namespace("default") });
    let mut last = String::from("it has no status");
    let url = timeout(STEP_MAX, async {
        loop {
            let Event::Applied(service) = watch.next().await else { continue };
            let ready = condition::get(&service.status.conditions, condition::READY);
            if let Some(ready) = ready {
                last = format!("{} {}", ready.reason, ready.message);
                if ready.is_true()
                    && let Some(url) = service.status.url.clone()
                {
                    return url;
                }
            }
        }
    });
    let url = url.await;
    url.with_context(|| format!("the sample is not ready after {} s: {last}", STEP_MAX.as_secs()))
}

/// Waits until no instance is wanted and none is there.
async fn at_zero(client: &Client) -> Result<()> {
    let mut watch = client.watch::<Deployment>(ListOptions::namespace("default"));
    let zero = timeout(STEP_MAX, async {
        loop {
            let Event::Applied(deployment) = watch.next().await else { continue };
            let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
            let there = deployment.status.as_ref().and_then(|status| status.replicas).unwrap_or(0);
            if wanted == Some(0) && there == 0 {
                return;
            }
        }
    });
    if zero.await.is_err() {
        let pods = client.list::<resources::builtin::Pod>(&ListOptions::namespace("default")).await?.items;
        let names: Vec<_> = pods.iter().map(|pod| pod.key()).collect::<Vec<ObjectKey>>();
        bail!("the sample is not at zero after {} s; there are {names:?}", STEP_MAX.as_secs());
    }
    Ok(())
}

fn step(what: &str, took: Duration) {
    let took = if took < Duration::from_secs(1) {
        format!("{:.1} ms", took.as_secs_f64() * 1000.0)
    } else {
        format!("{:.1} s", took.as_secs_f64())
    };
    say(format_args!("  {took:>10}  {what}\n"));
}

/// Tells a part of the story; one that nobody reads any more does not end it.
fn say(text: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout();
    let _ = out.write_fmt(text).and_then(|()| out.flush());
}
