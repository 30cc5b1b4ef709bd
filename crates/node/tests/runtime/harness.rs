//! Just enough of a test harness: filters by name, a list, and a line per test.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use crate::fixture::Image;

/// A name, and what runs under it.
pub(crate) type Test = (&'static str, for<'a> fn(&'a Image) -> Pin<Box<dyn Future<Output = ()> + 'a>>);

/// No test may take longer.
const TIMEOUT: Duration = Duration::from_secs(180);

pub(crate) fn run(tests: &[Test], args: &[String]) -> ExitCode {
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let exact = args.iter().any(|arg| arg == "--exact");
    let wanted = |name: &str| {
        let fits = |filter: &&String| if exact { name == *filter } else { name.contains(filter.as_str()) };
        filters.is_empty() || filters.iter().any(fits)
    };
    let chosen: Vec<&Test> = tests.iter().filter(|(name, _)| wanted(name)).collect();
    if args.iter().any(|arg| arg == "--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--ignored") {
        return ExitCode::SUCCESS;
    }
    let Some(image) = Image::make() else { return ExitCode::SUCCESS };
    let failed: Vec<&str> =
        chosen.iter().filter(|test| !passes(test, &image)).map(|(name, _)| *name).collect();
    println!("\ntest result: {} passed; {} failed {failed:?}", chosen.len() - failed.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes((name, test): &Test, image: &Image) -> bool {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let body =
        AssertUnwindSafe(|| runtime.block_on(async { tokio::time::timeout(TIMEOUT, test(image)).await }));
    let verdict = match std::panic::catch_unwind(body) {
        Ok(Ok(())) => "ok",
        Ok(Err(_)) => "FAILED: timed out",
        Err(_) => "FAILED",
    };
    println!("test {name} ... {verdict}");
    verdict == "ok"
}
