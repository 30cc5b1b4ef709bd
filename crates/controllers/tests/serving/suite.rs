//! Runs the cases in each home: each on a thread that has its name, with a runtime of its own, so that it ends with
//! everything that it started.

use std::{
    fmt,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use futures::future::LocalBoxFuture;
use tokio::{runtime::Builder, time::Instant};

use crate::{
    api::Place,
    home::{Home, VirtualTime},
    kubernetes::Kubernetes,
};

/// Cases at once in a home in real time, where they wait more than they work.
const CASES_AT_ONCE: usize = 8;

/// One case.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// `module::function`
    pub(crate) name: &'static str,
    pub(crate) body: Body,
}

type Run = for<'a> fn(&'a Home) -> LocalBoxFuture<'a, ()>;
type TimedRun = for<'a> fn(&'a Home, &'a VirtualTime) -> LocalBoxFuture<'a, ()>;

/// What a case does, and where it can; where not everywhere, with the reason.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    Anywhere(Run),
    Embedded(Run, &'static str),
    InProcess(Run, &'static str),
    InVirtualTime(TimedRun, &'static str),
}

impl Case {
    /// Why the case does not run in a place.
    fn obstacle(&self, place: &Place) -> Option<&'static str> {
        let (why, fits) = match self.body {
            Body::Anywhere(_) => return None,
            Body::Embedded(_, why) => (why, *place == Place::InProcess || *place == Place::Remote),
            Body::InProcess(_, why) | Body::InVirtualTime(_, why) => (why, *place == Place::InProcess),
        };
        (!fits).then_some(why)
    }
}

/// What is asked for on the command line.
struct Filter<'a> {
    texts: Vec<&'a str>,
    exact: bool,
}

impl Filter<'_> {
    fn takes(&self, name: &str) -> bool {
        let fits = |text: &&str| if self.exact { name == *text } else { name.contains(*text) };
        self.texts.is_empty() || self.texts.iter().any(fits)
    }
}

/// How the cases of one home went.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    elsewhere: usize,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, elsewhere } = self;
        write!(f, "{passed} passed, {failed} failed, {elsewhere} not run here")
    }
}

pub(crate) fn run(cases: &[Case], args: &[String]) -> ExitCode {
    let texts = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    let filter = Filter { texts, exact: args.iter().any(|arg| arg == "--exact") };
    let listing = args.iter().any(|arg| arg == "--list");
    let places = [Place::InProcess, Place::Remote, Place::Kubernetes(String::new())];
    let mut failed = 0;
    for mut place in places {
        let name = |case: &Case| format!("{place}::{}", case.name);
        let chosen: Vec<_> =
            cases.iter().map(|case| (name(case), case)).filter(|(name, _)| filter.takes(name)).collect();
        if listing {
            let here = chosen.iter().filter(|(_, case)| case.obstacle(&place).is_none());
            here.for_each(|(name, _)| println!("{name}: test"));
            continue;
        }
        if chosen.is_empty() {
            continue;
        }
        let _kubernetes = match &mut place {
            Place::Kubernetes(kubeconfig) => match Kubernetes::start() {
                Ok(kubernetes) => {
                    kubernetes.install_crds();
                    *kubeconfig = kubernetes.kubeconfig();
                    Some(kubernetes)
                }
                Err(reason) => {
                    chosen.iter().for_each(|(name, _)| eprintln!("skipped: {name}: {reason}"));
                    continue;
                }
            },
            Place::InProcess | Place::Remote => None,
        };
        let began = Instant::now();
        let count = run_in(&place, &chosen);
        println!("{place}: {count}, {:.1} s", began.elapsed().as_secs_f64());
        failed += count.failed;
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_in(place: &Place, cases: &[(String, &Case)]) -> Count {
    let mut count = Count::default();
    let mut here = Vec::new();
    for (name, case) in cases {
        match case.obstacle(place) {
            None => here.push((name, case)),
            Some(why) => {
                println!("not run: {name}: {why}");
                count.elsewhere += 1;
            }
        }
    }
    let at_once = match place {
        Place::InProcess => thread::available_parallelism().map_or(1, usize::from),
        Place::Remote | Place::Kubernetes(_) => CASES_AT_ONCE,
    };
    let (next, passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((name, case)) = here.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let attempt = || {
                        thread::Builder::new()
                            .name((*name).clone())
                            .spawn_scoped(scope, || attempt(place, case))
                    };
                    // Its message has been printed, with the thread's name.
                    let passes = attempt().unwrap().join().is_ok();
                    println!("test {name} ... {}", if passes { "ok" } else { "FAILED" });
                    passed.fetch_add(usize::from(passes), Ordering::SeqCst);
                }
            });
        }
    });
    count.passed = passed.into_inner();
    count.failed = here.len() - count.passed;
    count
}

/// Runs one case; panics when it fails.
fn attempt(place: &Place, case: &Case) {
    let virtual_time = *place == Place::InProcess;
    let runtime = Builder::new_current_thread().enable_all().start_paused(virtual_time).build().unwrap();
    runtime.block_on(async {
        let (home, mut parts) = Home::start(place, case.name).await;
        let body = async {
            match case.body {
                Body::Anywhere(run) | Body::Embedded(run, _) | Body::InProcess(run, _) => run(&home).await,
                Body::InVirtualTime(run, _) => run(&home, &VirtualTime::new()).await,
            }
        };
        tokio::select! {
            () = body => {}
            ended = parts.join_next() => panic!("a part of the home came to its end: {ended:?}"),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}
