use super::*;

fn service(spec: serde_json::Value) -> Arc<dyn DynObject> {
    let object =
        serde_json::json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec});
    <Service as Object>::kind().decode_value(object).unwrap()
}

fn few() -> Addresses {
    let range =
        ServiceRange { network: Ipv4Addr::new(10, 1, 2, 0), prefix: 29, node_ports: (30_000, 30_001) };
    let pools = Pools { ips: Pool::of_addresses(range), ports: Pool::of_ports(range) };
    Addresses { pools: Mutex::new(pools) }
}

fn environment() -> Environment {
    Environment::new(|| jiff::Timestamp::UNIX_EPOCH, 7)
}

fn spec_of(object: &Arc<dyn DynObject>) -> ServiceSpec {
    downcast::<Service>(Arc::clone(object)).unwrap().spec.clone().unwrap()
}

#[test]
fn what_is_not_stored_was_never_taken_and_what_is_let_go_is_free() {
    let (addresses, environment) = (few(), environment());
    let plain = || service(serde_json::json!({"type": "ClusterIP"}));
    // The network itself, the API's own and the broadcast address are nobody's: five are left of eight.
    let mut kept = Vec::new();
    for _ in 0..5 {
        drop(addresses.claim(plain(), None, &environment).unwrap());
        let (object, claim) = addresses.claim(plain(), None, &environment).unwrap();
        claim.unwrap().keep();
        kept.push(object);
    }
    let ips: BTreeSet<_> = kept.iter().map(|object| spec_of(object).cluster_ip.unwrap()).collect();
    let all = (2..7).map(|last| format!("10.1.2.{last}"));
    assert_eq!(ips, all.collect());
    let refused = addresses.claim(plain(), None, &environment).err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("failed to allocate a serviceIP: range is full"));
    // One of them becomes a name for something else; its address is the next one's.
    let external = service(serde_json::json!({"type": "ExternalName", "externalName": "e.com"}));
    let (_, claim) = addresses.claim(external, Some(&*kept[0]), &environment).unwrap();
    claim.unwrap().keep();
    let (object, _claim) = addresses.claim(plain(), None, &environment).unwrap();
    assert_eq!(spec_of(&object).cluster_ip, spec_of(&kept[0]).cluster_ip);
}

#[test]
fn node_ports_are_shared_between_protocols_and_end() {
    let (addresses, environment) = (few(), environment());
    let ports = serde_json::json!([
        {"name": "u", "port": 53, "protocol": "UDP"}, {"name": "t", "port": 53, "protocol": "TCP"}
    ]);
    let both = service(serde_json::json!({"type": "NodePort", "ports": ports}));
    let (object, claim) = addresses.claim(both, None, &environment).unwrap();
    claim.unwrap().keep();
    let given: Vec<_> = spec_of(&object).ports.unwrap().iter().map(|port| port.node_port).collect();
    assert!(given[0].is_some() && given[0] == given[1], "{given:?}");
    let asked = |port: i32| {
        let ports = serde_json::json!([{"port": 1, "nodePort": port}]);
        let asks = service(serde_json::json!({"type": "NodePort", "clusterIP": "None", "ports": ports}));
        addresses.claim(asks, None, &environment).err().map(|error| error.to_string())
    };
    let why =
        |what: &str| Some(format!("Service \"s\" is invalid: spec.ports[0].nodePort: Invalid value: {what}"));
    let taken = given[0].unwrap();
    assert_eq!(asked(taken), why(&format!("{taken}: provided port is already allocated")));
    assert_eq!(
        asked(80),
        why("80: provided port is not in the valid range. The range of valid ports is 30000-30001")
    );
    assert_eq!(asked(60_001 - taken), None);
}
