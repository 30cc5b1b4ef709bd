use std::collections::BTreeMap;

use resources::networking::{HttpIngressPath, HttpIngressRuleValue, IngressRule, IngressSpec, IngressSplit};

use super::*;
use crate::Dice;

fn ingress(name: &str, hosts: &[&str], service: &str) -> Change {
    rule(name, hosts, service, None)
}

fn rule(name: &str, hosts: &[&str], service: &str, visibility: Option<&str>) -> Change {
    Change::Set(routes(name, 0, hosts, service, visibility))
}

/// An ingress that was created in this second.
fn created(name: &str, second: i64, hosts: &[&str]) -> Change {
    Change::Set(routes(name, second, hosts, name, None))
}

fn routes(name: &str, second: i64, hosts: &[&str], service: &str, visibility: Option<&str>) -> IngressRoutes {
    let split = IngressSplit { service_name: service.into(), percent: 100, ..Default::default() };
    let path = HttpIngressPath { splits: vec![split], ..Default::default() };
    let rule = IngressRule {
        hosts: hosts.iter().map(|host| host.to_string()).collect(),
        visibility: visibility.map(Into::into),
        http: Some(HttpIngressRuleValue { paths: vec![path] }),
    };
    let created = serde_json::from_value(serde_json::json!(format!("2026-01-01T00:00:{second:02}Z")));
    IngressRoutes {
        ingress: ObjectKey::new("default", name),
        age: Age { created: created.unwrap(), uid: name.into() },
        spec: IngressSpec { rules: vec![rule], ..Default::default() },
        hash: String::new(),
    }
}

fn gone(name: &str) -> Change {
    Change::Remove(ObjectKey::new("default", name))
}

fn who(table: &RouteTable, host: &str, listener: Visibility) -> Option<String> {
    let target = table.paths(host, listener)?.target("/", &http::HeaderMap::new(), &Dice::seeded(1))?;
    Some(target.revision.name.clone())
}

#[test]
fn tables_are_wholes() {
    let empty = RouteTable::default();
    let (first, standings) = empty.with([ingress("one", &["a", "b"], "v1")]);
    assert_eq!((standings, first.number(), first.host_count()), (vec![standing("one", None)], 1, 2));
    let (second, _) = first.with([ingress("one", &["b", "c"], "v2")]);
    let seen = |table: &RouteTable| ["a", "b", "c"].map(|host| who(table, host, Visibility::Public));
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(seen(&empty), [None, None, None]);
    assert_eq!(seen(&first), [some("v1"), some("v1"), None]);
    assert_eq!(seen(&second), [None, some("v2"), some("v2")]);
    let (third, _) = second.with([gone("one")]);
    assert_eq!((third.number(), third.host_count()), (3, 0));
}

fn standing(name: &str, lost: Option<(&str, &str)>) -> Standing {
    let key = |name| ObjectKey::new("default", name);
    let conflict = lost.map(|(host, owner)| Conflict { host: host.into(), owner: key(owner) });
    Standing { ingress: key(name), conflict }
}

#[test]
fn a_host_has_one_owner_at_a_time() {
    let (table, standings) =
        RouteTable::default().with([created("one", 1, &["a"]), created("two", 2, &["a", "b"])]);
    assert_eq!(standings, [standing("one", None), standing("two", Some(("a", "one")))]);
    assert_eq!(who(&table, "a", Visibility::Public).as_deref(), Some("one"));
    let (table, standings) = table.with([gone("one")]);
    assert_eq!(standings, [standing("two", None)]);
    assert_eq!(who(&table, "a", Visibility::Public).as_deref(), Some("two"));
}

/// After a restart ingresses come in any order.
#[test]
fn the_oldest_has_a_host_whatever_the_order_in_which_they_come() {
    let all = [created("b", 1, &["h"]), created("a", 1, &["h"]), created("young", 2, &["h"])];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut table = RouteTable::default();
        let mut last = BTreeMap::new();
        for at in order {
            let (next, standings) = table.with([all[at].clone()]);
            table = next;
            last.extend(standings.into_iter().map(|standing| (standing.ingress.clone(), standing)));
        }
        assert_eq!(who(&table, "h", Visibility::Public).as_deref(), Some("a"), "{order:?}");
        // Also one that had the host until an older one came is told.
        let lost = Some(("h", "a"));
        let expect = [standing("a", None), standing("b", lost), standing("young", lost)];
        assert!(last.into_values().eq(expect), "{order:?}");
    }
}

#[test]
fn private_hosts_are_for_private_listeners() {
    let (table, _) = RouteTable::default().with([rule("one", &["a"], "v1", Some("ClusterLocal"))]);
    assert_eq!(who(&table, "a", Visibility::Public), None);
    assert_eq!(who(&table, "a", Visibility::ClusterLocal).as_deref(), Some("v1"));
}

#[test]
fn ten_thousand_ingresses_one_by_one() {
    let mut table = RouteTable::default();
    for index in 0..10_000 {
        let hosts = [format!("s{index}.default.localhost"), format!("s{index}.default.svc.cluster.local")];
        table = table.with([ingress(&index.to_string(), &[&hosts[0], &hosts[1]], "v1")]).0;
    }
    assert_eq!((table.number(), table.host_count()), (10_000, 20_000));
}
