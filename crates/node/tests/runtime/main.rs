//! Both runtimes, with real processes.
//!
//! This program is its own keeper and its own daemon, so it has its own `main`: the keeper must run before any thread
//! exists, which the usual test harness cannot promise. Tests run one after the other, since they count what is left
//! on the machine.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]
#![allow(clippy::print_stdout)]

mod confinement;
mod daemon;
mod endings;
mod execs;
mod faults;
mod files;
mod fixture;
mod harness;
mod leaks;
mod leftovers;
mod pods;
mod process;
mod starting;
mod taking_over;

use harness::Test;

const TESTS: &[Test] = &[
    ("starting::shows_what_was_asked_for", |m| Box::pin(starting::shows_what_was_asked_for(m))),
    ("starting::large_environments", |m| Box::pin(starting::large_environments(m))),
    ("starting::given_up", |m| Box::pin(starting::given_up(m))),
    ("starting::users", |m| Box::pin(starting::users(m))),
    ("starting::failures_are_typed", |m| Box::pin(starting::failures_are_typed(m))),
    ("starting::invalid_specs_are_refused", |m| Box::pin(starting::invalid_specs_are_refused(m))),
    ("starting::without_pools", |m| Box::pin(starting::without_pools(m))),
    ("starting::asked_for_behind_its_sandbox", |m| Box::pin(starting::asked_for_behind_its_sandbox(m))),
    ("starting::late_roots_are_mounted_beforehand", |m| {
        Box::pin(starting::late_roots_are_mounted_beforehand(m))
    }),
    ("endings::codes_and_signals", |m| Box::pin(endings::codes_and_signals(m))),
    ("endings::memory_limit", |m| Box::pin(endings::memory_limit(m))),
    ("endings::no_zombies", |m| Box::pin(endings::no_zombies(m))),
    ("endings::main_process_ends_all", |m| Box::pin(endings::main_process_ends_all(m))),
    ("confinement::limits_are_written", |m| Box::pin(confinement::limits_are_written(m))),
    ("confinement::privileges", |m| Box::pin(confinement::privileges(m))),
    ("confinement::refused_calls", |m| Box::pin(confinement::refused_calls(m))),
    ("confinement::devices", |m| Box::pin(confinement::devices(m))),
    ("confinement::kernel_paths", |m| Box::pin(confinement::kernel_paths(m))),
    ("confinement::init_is_confined", |m| Box::pin(confinement::init_is_confined(m))),
    ("execs::are_as_their_container", |m| Box::pin(execs::are_as_their_container(m))),
    ("execs::read_and_write", |m| Box::pin(execs::read_and_write(m))),
    ("execs::have_a_terminal", |m| Box::pin(execs::have_a_terminal(m))),
    ("execs::end_with_what_they_are_for", |m| Box::pin(execs::end_with_what_they_are_for(m))),
    ("execs::failures_are_typed", |m| Box::pin(execs::failures_are_typed(m))),
    ("execs::hundreds_leave_nothing", |m| Box::pin(execs::hundreds_leave_nothing(m))),
    ("execs::children_of_the_keeper_end", |m| Box::pin(execs::children_of_the_keeper_end(m))),
    ("execs::have_a_null_device_of_their_own", |m| Box::pin(execs::have_a_null_device_of_their_own(m))),
    ("execs::of_processes", |m| Box::pin(execs::of_processes(m))),
    ("files::layers_and_volumes", |m| Box::pin(files::layers_and_volumes(m))),
    ("files::links_cannot_lead_out", |m| Box::pin(files::links_cannot_lead_out(m))),
    ("files::sub_paths", |m| Box::pin(files::sub_paths(m))),
    ("files::sub_paths_follow_no_links", |m| Box::pin(files::sub_paths_follow_no_links(m))),
    ("files::closed_to_users_of_the_host", |m| Box::pin(files::closed_to_users_of_the_host(m))),
    ("files::small_files_are_a_containers_own", |m| Box::pin(files::small_files_are_a_containers_own(m))),
    ("files::messages_outlive_the_program", |m| Box::pin(files::messages_outlive_the_program(m))),
    ("files::a_start_makes_nothing_on_disk", |m| Box::pin(files::a_start_makes_nothing_on_disk(m))),
    ("files::many_layers", |m| Box::pin(files::many_layers(m))),
    ("files::copies_where_overlays_do_not_work", |m| Box::pin(files::copies_where_overlays_do_not_work(m))),
    ("pods::containers_share_a_sandbox", |m| Box::pin(pods::containers_share_a_sandbox(m))),
    ("pods::sandboxes_are_apart", |m| Box::pin(pods::sandboxes_are_apart(m))),
    ("pods::addresses_are_guessed", |m| Box::pin(pods::addresses_are_guessed(m))),
    ("pods::removing_a_sandbox_removes_its_containers", |m| {
        Box::pin(pods::removing_a_sandbox_removes_its_containers(m))
    }),
    ("pods::a_sandbox_again", |m| Box::pin(pods::a_sandbox_again(m))),
    ("pods::removing_goes_on_over_errors", |m| Box::pin(pods::removing_goes_on_over_errors(m))),
    ("leaks::a_thousand_starts", |m| Box::pin(leaks::a_thousand_starts(m))),
    ("leftovers::keeper_killed", |m| Box::pin(leftovers::keeper_killed(m))),
    ("leftovers::no_daemon_comes", |m| Box::pin(leftovers::no_daemon_comes(m))),
    ("leftovers::no_keeper_works", |m| Box::pin(leftovers::no_keeper_works(m))),
    ("leftovers::nothing_to_keep", |m| Box::pin(leftovers::nothing_to_keep(m))),
    ("leftovers::both_killed", |m| Box::pin(leftovers::both_killed(m))),
    ("taking_over::all_goes_on", |m| Box::pin(taking_over::all_goes_on(m))),
    ("taking_over::processes_go_on", |m| Box::pin(taking_over::processes_go_on(m))),
    ("taking_over::from_one_that_lives_on", |m| Box::pin(taking_over::from_one_that_lives_on(m))),
    ("taking_over::hundreds", |m| Box::pin(taking_over::hundreds(m))),
    ("taking_over::keepers_of_another_kind", |m| Box::pin(taking_over::keepers_of_another_kind(m))),
    ("faults::a_keeper_that_is_stopped", |m| Box::pin(faults::a_keeper_that_is_stopped(m))),
    ("faults::a_caller_that_gives_up", |m| Box::pin(faults::a_caller_that_gives_up(m))),
    ("faults::a_keeper_without_descriptors", |m| Box::pin(faults::a_keeper_without_descriptors(m))),
    ("faults::a_daemon_that_cannot_be_taken_yet", |m| Box::pin(faults::a_daemon_that_cannot_be_taken_yet(m))),
    ("faults::ends_before_a_daemon_has_attached", |m| Box::pin(faults::ends_before_a_daemon_has_attached(m))),
    ("process::runs_programs_of_images", |m| Box::pin(process::runs_programs_of_images(m))),
    ("process::kills_the_group", |m| Box::pin(process::kills_the_group(m))),
    ("process::without_root", |m| Box::pin(process::without_root(m))),
];

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("keeper") => node::keeper_main(),
        Some("daemon") => daemon::main(&args[1..]),
        _ => harness::run(TESTS, &args),
    }
}
