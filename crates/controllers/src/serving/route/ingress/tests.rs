use resources::config::Flag;

use super::*;
use crate::serving::revision::Protocol;

fn target(tag: &str, revision: &str, percent: i64) -> Target {
    Target {
        tag: tag.to_owned(),
        revision: revision.to_owned(),
        percent,
        protocol: Protocol::Http1,
        latest: false,
    }
}

fn host(tag: &str, public: Option<&str>) -> TagHosts {
    let placeholder = if tag.is_empty() { "app".to_owned() } else { format!("{tag}-app") };
    let local = vec![format!("{placeholder}.ns.svc.cluster.local")];
    TagHosts { tag: tag.to_owned(), placeholder, local, public: public.map(str::to_owned) }
}

fn build(targets: &[Target], hosts: &[TagHosts], configs: &Configs) -> Vec<String> {
    let mut route = Route::default();
    route.metadata.name = Some("app".to_owned());
    route.metadata.namespace = Some("ns".to_owned());
    let ingress = desired_ingress(&route, targets, hosts, configs);
    let split = |split: &IngressSplit| {
        assert_eq!(split.append_headers[REVISION_HEADER], split.service_name);
        format!("{}={}", split.service_name, split.percent)
    };
    let path = |path: &HttpIngressPath| {
        let matched: String = path.headers.values().map(|header| format!("[{}]", header.exact)).collect();
        let told: String =
            path.append_headers.iter().map(|(name, value)| format!(" +{name}:{value}")).collect();
        format!("{matched}{}{told}", path.splits.iter().map(split).collect::<Vec<_>>().join(","))
    };
    let rule = |rule: &IngressRule| {
        let paths = rule.http.as_ref().unwrap().paths.iter().map(path).collect::<Vec<_>>().join(" | ");
        format!("{} {}: {paths}", rule.visibility.as_deref().unwrap(), rule.hosts.join(" "))
    };
    ingress.spec.rules.iter().map(rule).collect()
}

#[test]
fn rules() {
    let targets = [target("", "a", 90), target("next", "b", 10)];
    let hosts = [host("", Some("app.ns.example.com")), host("next", None)];
    let expect = [
        "ClusterLocal app.ns.svc.cluster.local: a=90,b=10",
        "ExternalIP app.ns.example.com: a=90,b=10",
        "ClusterLocal next-app.ns.svc.cluster.local: b=100",
    ];
    assert_eq!(build(&targets, &hosts, &Configs::default()), expect);

    let mut by_header = Configs::default();
    by_header.features.tag_header_based_routing = Flag::Enabled;
    let expect = [
        "ClusterLocal app.ns.svc.cluster.local: [next]b=100 | a=90,b=10 +Knative-Serving-Default-Route:true",
        "ExternalIP app.ns.example.com: [next]b=100 | a=90,b=10 +Knative-Serving-Default-Route:true",
        "ClusterLocal next-app.ns.svc.cluster.local: b=100 +Knative-Serving-Tag:next",
    ];
    assert_eq!(build(&targets, &hosts, &by_header), expect);
}
