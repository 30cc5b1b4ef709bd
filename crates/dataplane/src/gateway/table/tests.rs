use resources::networking::{HttpIngressPath, HttpIngressRuleValue, IngressRule, IngressSpec, IngressSplit};

use super::*;
use crate::Dice;

fn ingress(name: &str, hosts: &[&str], service: &str) -> Change {
    rule(name, hosts, service, None)
}

fn rule(name: &str, hosts: &[&str], service: &str, visibility: Option<&str>) -> Change {
    let split = IngressSplit { service_name: service.into(), percent: 100, ..Default::default() };
    let path = HttpIngressPath { splits: vec![split], ..Default::default() };
    let rule = IngressRule {
        hosts: hosts.iter().map(|host| host.to_string()).collect(),
        visibility: visibility.map(Into::into),
        http: Some(HttpIngressRuleValue { paths: vec![path] }),
    };
    Change::Set(IngressRoutes {
        ingress: ObjectKey::new("default", name),
        spec: IngressSpec { rules: vec![rule], ..Default::default() },
        hash: String::new(),
    })
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
    let (first, conflicts) = empty.with([ingress("one", &["a", "b"], "v1")]);
    assert_eq!((conflicts, first.number(), first.host_count()), (vec![], 1, 2));
    let (second, _) = first.with([ingress("one", &["b", "c"], "v2")]);
    let seen = |table: &RouteTable| ["a", "b", "c"].map(|host| who(table, host, Visibility::Public));
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(seen(&empty), [None, None, None]);
    assert_eq!(seen(&first), [some("v1"), some("v1"), None]);
    assert_eq!(seen(&second), [None, some("v2"), some("v2")]);
    let (third, _) = second.with([gone("one")]);
    assert_eq!((third.number(), third.host_count()), (3, 0));
}

#[test]
fn a_host_has_one_owner_at_a_time() {
    let (table, conflicts) =
        RouteTable::default().with([ingress("one", &["a"], "v1"), ingress("two", &["a"], "v2")]);
    let key = |name| ObjectKey::new("default", name);
    assert_eq!(conflicts, [Conflict { ingress: key("two"), host: "a".into(), owner: key("one") }]);
    assert_eq!(who(&table, "a", Visibility::Public).as_deref(), Some("v1"));
    let (table, _) = table.with([gone("one")]);
    assert_eq!(who(&table, "a", Visibility::Public).as_deref(), Some("v2"));
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
