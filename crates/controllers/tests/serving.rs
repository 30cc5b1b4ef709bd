//! What the serving, network and workload controllers do together, held against each home that they work in. One table
//! of cases, and no case knows where it runs.
//!
//! ```text
//!   case(&Home) ──► in_process   the embedded API server's own client, in virtual time
//!               ├─► remote       the embedded API server, over TLS
//!               └─► kubernetes   a real kube-apiserver; each case has a namespace and a webhook of its own
//! ```
//!
//! Only what is outside the API is played: the node's part of a pod's life, the images there are, and the gateways.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]
#![allow(clippy::print_stdout)]

#[path = "serving/api.rs"]
mod api;
#[path = "serving/home.rs"]
mod home;
#[path = "../../objects/tests/backends/kubernetes.rs"]
mod kubernetes;
#[path = "serving/node.rs"]
mod node;
#[path = "serving/seams.rs"]
mod seams;
#[path = "serving/suite.rs"]
mod suite;
#[path = "serving/waits.rs"]
mod waits;
#[path = "serving/webhook.rs"]
mod webhook;

#[path = "serving/children.rs"]
mod children;
#[path = "serving/conditions.rs"]
mod conditions;
#[path = "serving/configuration.rs"]
mod configuration;
#[path = "serving/deletion.rs"]
mod deletion;
#[path = "serving/events.rs"]
mod events;
#[path = "serving/failures.rs"]
mod failures;
#[path = "serving/images.rs"]
mod images;
#[path = "serving/ready.rs"]
mod ready;
#[path = "serving/retention.rs"]
mod retention;
#[path = "serving/routes.rs"]
mod routes;
#[path = "serving/scaling.rs"]
mod scaling;
#[path = "serving/scaling_settings.rs"]
mod scaling_settings;
#[path = "serving/traffic.rs"]
mod traffic;
#[path = "serving/workloads.rs"]
mod workloads;

use std::process::ExitCode;

use crate::suite::{Body, Case};

macro_rules! anywhere {
    ($($module:ident::$case:ident,)*) => {
        &[$(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            body: Body::Anywhere(|home| Box::pin($module::$case(home))),
        }),*]
    };
}

macro_rules! only {
    ($($module:ident::$case:ident, $body:ident($($given:ident),*), $why:literal;)*) => {
        &[$(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            body: Body::$body(|$($given),*| Box::pin($module::$case($($given),*)), $why),
        }),*]
    };
}

/// The slowest first, so that no home waits for the last one alone.
const ANYWHERE: &[Case] = anywhere![
    scaling::load_makes_more_and_its_end_makes_fewer,
    scaling::an_idle_revision_follows_the_least_scale_that_is_configured,
    scaling::to_zero_and_back,
    scaling::a_revision_that_nothing_leads_to_is_not_kept_at_its_least_scale,
    scaling::min_scale_stays_without_load,
    images::a_registry_that_does_not_answer_is_not_waited_for,
    conditions::while_no_instance_comes_up_and_after_the_deadline,
    events::from_zero_to_an_instance_nothing_is_told,
    workloads::old_replica_sets_are_kept_as_far_as_the_limit_says,
    workloads::a_paused_deployment_changes_its_size_alone,
    workloads::orphans_stay_without_their_owner,
    workloads::a_namespace_has_an_account,
    workloads::a_role_has_the_rules_of_its_parts,
    workloads::a_service_has_the_addresses_of_its_pods,
    workloads::a_slice_that_somebody_edits_or_deletes_is_put_back,
    workloads::what_a_deployment_owns_goes_after_it,
    children::each_has_one_owner_and_says_what_it_belongs_to,
    children::the_public_service_is_one_without_a_selector,
    conditions::of_every_kind_when_all_is_well,
    conditions::while_the_gateways_do_not_serve_it_yet,
    conditions::what_was_ready_stays_so_while_the_gateways_begin,
    conditions::of_a_class_that_nothing_here_scales_by,
    conditions::of_a_serverless_service_that_is_there_before_its_deployment,
    conditions::what_the_configuration_says_of_revisions_reaches_them,
    configuration::a_new_domain_changes_urls_at_once,
    configuration::a_template_makes_a_revision_for_each_of_its_states,
    configuration::a_name_that_another_configuration_has_is_refused,
    configuration::the_latest_ready_revision_may_be_deleted,
    deletion::an_owner_goes_when_what_it_waits_for_is_gone,
    deletion::an_owner_goes_when_what_it_waits_for_has_another_owner_or_none,
    events::the_way_to_ready_is_told_once,
    events::what_fails_is_told,
    events::what_is_told_again_is_counted,
    events::how_a_deployment_is_scaled_is_told,
    events::an_image_that_is_looked_for_anew_is_not_told_anew,
    events::of_an_image_that_appears_only_that_it_is_ready_is_told,
    failures::an_image_that_cannot_be_found_is_named_and_found_later,
    failures::a_pod_that_waits_for_its_image_says_so_at_once,
    failures::a_pod_that_no_node_takes_is_a_failure_unless_nodes_are_made_for_it,
    failures::a_container_that_ends_says_how,
    failures::what_worked_once_and_crashes_now_is_not_ready,
    failures::what_the_node_leaves_out_is_said_for_information,
    failures::a_class_that_no_gateway_serves_is_named,
    failures::of_an_update_it_is_told_when_its_author_can_follow,
    images::what_a_tag_stood_for_is_in_the_status_and_is_run,
    images::tags_of_registries_that_are_left_alone_stay,
    ready::a_service_becomes_ready_with_all_its_children,
    ready::labels_and_annotations_come_and_go_with_the_service,
    ready::a_cluster_local_service_has_no_public_host,
    ready::nothing_is_written_when_nothing_changes,
    ready::a_service_that_is_deleted_can_be_made_again_at_once,
    retention::what_is_beyond_the_most_goes,
    routes::a_route_of_its_own_leads_to_what_it_names_and_follows_the_latest,
    routes::the_ingress_class_is_the_configurations_unless_the_route_has_one,
    routes::what_becomes_of_tls_is_said,
    routes::a_host_that_an_older_ingress_has_is_said,
    scaling::initial_scale_zero_is_ready_without_an_instance,
    scaling::a_deployment_of_another_size_is_put_right,
    scaling_settings::the_initial_scale_is_made_and_waited_for,
    scaling_settings::the_activation_scale_is_what_a_first_request_starts,
    traffic::a_canary_waits_for_the_revision_it_names_and_goes_on_by_itself,
    traffic::blue_to_green_keeps_blue_listed_and_so_active,
    traffic::what_works_goes_on_working_while_a_new_target_is_bad,
    traffic::a_revision_that_lost_its_route_is_reserved,
    traffic::tags_have_hosts_of_their_own_and_lose_them_again,
    traffic::a_service_does_not_lead_to_the_revisions_of_another,
];

/// Where a case runs that cannot run anywhere, and why.
const SOMEWHERE: &[Case] = only![
    conditions::what_missed_its_deadline_has_failed_until_it_works, InVirtualTime(home, time), "moments are measured";
    events::what_was_told_is_forgotten_after_an_hour, InVirtualTime(home, time), "an hour passes";
    events::what_reconciling_fails_on_is_told_and_counted, InVirtualTime(home, time), "ten minutes of retries pass";
    retention::an_age_counts_when_nothing_else_happens, InVirtualTime(home, time), "hours pass";
    retention::the_limits_of_the_configuration_decide, InVirtualTime(home, time), "hours pass between Revisions";
    scaling::at_zero_a_request_starts_an_instance_at_once, InVirtualTime(home, time),
        "an hour passes, and a moment is measured";
    failures::while_an_image_is_looked_for_again_it_is_still_missing, InVirtualTime(home, time), "a minute passes";
    failures::a_name_that_somebody_else_had_is_taken_when_it_is_free, InProcess(home), "half a minute passes";
    scaling::a_step_of_the_time_of_day_changes_no_scale, InVirtualTime(home, time), "the time of day is set";
    scaling_settings::the_last_instance_is_retained, InVirtualTime(home, time), "minutes pass";
    scaling_settings::a_smaller_scale_is_delayed, InVirtualTime(home, time), "minutes pass";
    scaling_settings::a_surge_is_met_in_panic_and_does_not_scale_down, InVirtualTime(home, time), "minutes pass";
    scaling_settings::burst_capacity_decides_who_leads_the_way, InProcess(home),
        "over the network the Revision of a state before may be seen last";
    configuration::more_objects_than_a_page_follow_the_configuration, InProcess(home), "there are hundreds of objects";
    workloads::a_pod_made_by_hand_gets_the_node, InProcess(home),
        "over the network a pod gets its node by the subresource `binding` alone, and objects::Client writes none";
    workloads::a_job_of_ebb_itself_goes_when_its_time_is_over, InVirtualTime(home, time), "minutes pass";
    workloads::the_default_roles_have_the_rules_of_their_parts, InProcess(home),
        "homes that share a kube-apiserver leave its roles alone";
    workloads::a_namespace_goes_with_all_that_is_in_it, InProcess(home),
        "over the network a namespace is let go by the subresource `finalize` alone, and objects::Client writes none";
    workloads::objects_of_users_kinds_own_and_go_with_their_namespace, InProcess(home),
        "as above";
];

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    suite::run(&[ANYWHERE, SOMEWHERE].concat(), &args)
}
