//! What comes of the deletion of a revision where somebody could expect something else.

use kube::api::ListParams;
use resources::{
    Object, labels,
    serving::{Configuration, Route},
};

use crate::api::{Served, Session};

/// How many routes and configurations of the namespace are looked through.
const LOOKED_AT_MAX: u32 = 500;

/// What holds on to revisions.
pub(super) struct Holders {
    routes: Vec<Route>,
    configurations: Vec<Configuration>,
}

impl Holders {
    /// Those of the session's namespace.
    pub(super) async fn find(session: &Session) -> Self {
        Self { routes: some(session).await, configurations: some(session).await }
    }

    /// What its user should know before a revision is deleted. What comes back loses nothing for good.
    pub(super) fn warnings(&self, revision: &str) -> Vec<String> {
        match self.configurations.iter().find_map(|configuration| comes_back(revision, configuration)) {
            Some(warning) => vec![warning],
            None => self.routes.iter().filter_map(|route| lost(revision, route)).collect(),
        }
    }
}

/// Only for warnings: who may not read them may still delete.
async fn some<K: Served>(session: &Session) -> Vec<K> {
    let listed = session.page::<K>(&ListParams::default().limit(LOOKED_AT_MAX)).await;
    listed.map(|(objects, _)| objects).unwrap_or_default()
}

/// A configuration that finds the revision of its template gone makes it again, under the same name.
fn comes_back(revision: &str, configuration: &Configuration) -> Option<String> {
    let is_latest = configuration.status.latest_created_revision_name.as_deref() == Some(revision);
    if !is_latest || configuration.is_deleting() {
        return None;
    }
    let (kind, owner) = match configuration.label(labels::SERVICE) {
        Some(service) => ("service", service),
        None => ("configuration", configuration.name()),
    };
    Some(format!(
        "Revision '{revision}' is the latest of {kind} '{owner}' and is made again at once, with new instances: to change \
         it update the {kind}, to remove it delete the {kind}"
    ))
}

/// What a route loses with a revision that it sends requests to.
fn lost(revision: &str, route: &Route) -> Option<String> {
    let leads_there =
        route.status.traffic.iter().filter(|target| target.revision_name.as_deref() == Some(revision));
    let (mut percent, mut tags) = (0, Vec::new());
    for target in leads_there {
        percent += target.percent.unwrap_or_default();
        tags.extend(target.tag.as_deref().filter(|tag| !tag.is_empty()));
    }
    let (route, tags) = (route.name(), tags.join(", "));
    let gets = match (percent, tags.as_str()) {
        (0, "") => return None,
        (0, tags) => format!("what is sent to the tag {tags} of route '{route}'"),
        (percent, "") => format!("{percent}% of the traffic of route '{route}'"),
        (percent, tags) => format!("{percent}% of the traffic of route '{route}' (tag {tags})"),
    };
    Some(format!(
        "Revision '{revision}' gets {gets}: its requests will fail until the service's traffic is changed"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn route() -> Route {
        serde_json::from_value(json!({
            "metadata": { "name": "tr", "namespace": "default" },
            "status": { "traffic": [
                { "revisionName": "tr-00002", "latestRevision": true, "percent": 64 },
                { "revisionName": "tr-00001", "percent": 36, "tag": "old" },
                { "revisionName": "tr-00002", "percent": 0, "tag": "" },
                { "revisionName": "tr-00003", "tag": "next" },
                { "revisionName": "tr-00004", "percent": 0 },
            ] },
        }))
        .unwrap()
    }

    #[test]
    fn a_route_that_leads_there_is_told_of_with_its_share_and_tags() {
        for (revision, gets) in [
            ("tr-00001", Some("36% of the traffic of route 'tr' (tag old)")),
            ("tr-00002", Some("64% of the traffic of route 'tr'")),
            ("tr-00003", Some("what is sent to the tag next of route 'tr'")),
            ("tr-00004", None),
            ("tr", None),
        ] {
            let expect = gets.map(|gets| {
                format!(
                    "Revision '{revision}' gets {gets}: its requests will fail until the service's traffic is changed"
                )
            });
            assert_eq!(lost(revision, &route()), expect);
        }
    }

    #[test]
    fn the_latest_revision_comes_back() {
        let told = |metadata: Value, revision: &str| {
            let configuration = serde_json::from_value(json!({
                "metadata": metadata, "status": { "latestCreatedRevisionName": "tr-00002" },
            }));
            let holders = Holders { routes: vec![route()], configurations: vec![configuration.unwrap()] };
            holders.warnings(revision).join("\n")
        };
        let own = json!({ "name": "tr", "namespace": "default" });
        let mut of_service = own.clone();
        of_service["labels"] = json!({ "serving.knative.dev/service": "shop" });
        let mut leaving = own.clone();
        leaving["deletionTimestamp"] = json!("2026-11-20T12:00:00Z");
        assert_eq!(
            told(of_service, "tr-00002"),
            "Revision 'tr-00002' is the latest of service 'shop' and is made again at once, with new instances: to change it \
             update the service, to remove it delete the service"
        );
        assert!(told(own.clone(), "tr-00002").contains("of configuration 'tr' and is made again at once"));
        assert!(told(own, "tr-00001").contains("36% of the traffic"), "that one does not come back");
        assert!(
            told(leaving, "tr-00002").contains("64% of the traffic"),
            "nor does one that goes with its service"
        );
    }
}
