//! Runs the cases in each home: each on a thread that has its name, with a runtime of its own, so that it ends with
//! everything that it started.

use std::{
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
    InProcess(Run, &'static str),
    InVirtualTime(TimedRun, &'static str),
}

impl Case {
    /// Why the case does not run in a place.
    fn obstacle(&self, place: &Place) -> Option<&'static str> {
        let (why, fits) = match self.body {
            Body::Anywhere(_) => return None,
            Body::InProcess(_, why) | Body::InVirtualTime(_, why) => (why, *place == Place::InProcess),
        };
        (!fits).then_some(why)
    }
}

/// What is asked for on the command line, as test harnesses take it.
#[derive(Default)]
struct Wish<'a> {
    names: Vec<&'a str>,
    exact: bool,
    list: bool,
}

impl<'a> Wish<'a> {
    fn of(args: &'a [String]) -> Self {
        let mut wish = Self::default();
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            match arg {
                "--exact" => wish.exact = true,
                "--list" => wish.list = true,
                // How many cases run at once is for the homes to say.
                "--test-threads" => drop(args.next()),
                option if option.starts_with('-') => {}
                name => wish.names.push(name),
            }
        }
        wish
    }

    fn takes(&self, name: &str) -> bool {
        let fits = |wanted: &&str| if self.exact { name == *wanted } else { name.contains(*wanted) };
        self.names.is_empty() || self.names.iter().any(fits)
    }
}

pub(crate) fn run(cases: &[Case], args: &[String]) -> ExitCode {
    let wish = Wish::of(args);
    let mut failed = 0;
    for mut place in [Place::InProcess, Place::Remote, Place::Kubernetes(String::new())] {
        let named = cases.iter().map(|case| (format!("{place}::{}", case.name), case));
        let chosen = named.filter(|(name, _)| wish.takes(name));
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            chosen.partition(|(_, case)| case.obstacle(&place).is_none());
        if wish.list {
            here.iter().for_each(|(name, _)| println!("{name}: test"));
            continue;
        }
        for (name, case) in &elsewhere {
            println!("not run: {name}: {}", case.obstacle(&place).unwrap_or_default());
        }
        if here.is_empty() {
            continue;
        }
        match prepare(&mut place) {
            Ok(_kubernetes) => failed += run_in(&place, &here, elsewhere.len()),
            Err(reason) => here.iter().for_each(|(name, _)| eprintln!("skipped: {name}: {reason}")),
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts what the place needs that homes share; the reason, where that cannot be.
fn prepare(place: &mut Place) -> Result<Option<Kubernetes>, String> {
    let Place::Kubernetes(kubeconfig) = place else { return Ok(None) };
    let kubernetes = Kubernetes::start()?;
    kubernetes.install_crds();
    *kubeconfig = kubernetes.kubeconfig();
    Ok(Some(kubernetes))
}

/// Runs the cases, counts them, and returns how many failed.
fn run_in(place: &Place, cases: &[(String, &Case)], elsewhere: usize) -> usize {
    let began = Instant::now();
    let at_once = match place {
        Place::InProcess => thread::available_parallelism().map_or(1, usize::from),
        Place::Remote | Place::Kubernetes(_) => CASES_AT_ONCE,
    };
    let (next, passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let work = || {
            while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                let thread = thread::Builder::new().name(name.clone());
                // What it panics with is printed with its name.
                let passes = thread.spawn_scoped(scope, || attempt(place, case)).unwrap().join().is_ok();
                println!("test {name} ... {}", if passes { "ok" } else { "FAILED" });
                passed.fetch_add(usize::from(passes), Ordering::SeqCst);
            }
        };
        (0..at_once).for_each(|_| drop(scope.spawn(work)));
    });
    let passed = passed.into_inner();
    let (failed, seconds) = (cases.len() - passed, began.elapsed().as_secs_f64());
    println!("{place}: {passed} passed, {failed} failed, {elsewhere} not run there, in {seconds:.1} s");
    failed
}

/// Runs one case; panics when it fails.
fn attempt(place: &Place, case: &Case) {
    let virtual_time = *place == Place::InProcess;
    let runtime = Builder::new_current_thread().enable_all().start_paused(virtual_time).build().unwrap();
    runtime.block_on(async {
        let (home, mut parts) = Home::start(place, case.name).await;
        let body = async {
            match case.body {
                Body::Anywhere(run) | Body::InProcess(run, _) => run(&home).await,
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
