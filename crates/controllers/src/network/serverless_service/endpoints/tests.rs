use resources::builtin::{EndpointAddress, EndpointPort};

use super::*;

fn endpoints(addresses: &[&str]) -> Endpoints {
    let address = |ip: &&str| EndpointAddress { ip: (*ip).to_owned(), ..EndpointAddress::default() };
    let port = |port| EndpointPort { port, ..EndpointPort::default() };
    let subset = EndpointSubset {
        addresses: Some(addresses.iter().map(address).collect()),
        ports: Some(vec![port(8012), port(9090), port(8112)]),
        not_ready_addresses: None,
    };
    Endpoints { subsets: Some(vec![subset]), ..Endpoints::default() }
}

#[test]
fn the_mode_is_a_wish() {
    use ServerlessServiceMode::{Proxy, Serve};
    let (pods, activators) = (endpoints(&["p1", "p2"]), endpoints(&["a1", "a2", "a3"]));
    let none = endpoints(&[]);
    // (mode, activators at most, pods, activators, how many addresses of which)
    let cases = [
        (Serve, 0, &pods, &activators, (2, 'p')),
        (Proxy, 0, &pods, &activators, (3, 'a')),
        (Proxy, 2, &pods, &activators, (2, 'a')),
        (Serve, 0, &none, &activators, (3, 'a')),
        (Proxy, 0, &pods, &none, (2, 'p')),
        (Proxy, 0, &none, &none, (0, '-')),
    ];
    for (mode, limit, pods, activators, (count, of)) in cases {
        let mut sks = ServerlessService::default();
        sks.metadata.name = Some("app".to_owned());
        sks.spec.mode = mode;
        sks.spec.num_activators = limit;
        let (subsets, proxied) = public_subsets(&sks, Some(pods), Some(activators));
        let addresses: Vec<_> = subsets.iter().flat_map(|subset| subset.addresses.iter().flatten()).collect();
        assert_eq!(addresses.len(), count, "{mode:?} {limit}");
        assert!(
            addresses.iter().all(|address| address.ip.starts_with(of)),
            "{mode:?} {limit}: {addresses:?}"
        );
        assert_eq!(proxied, of == 'a', "{mode:?} {limit}");
        let ports = subsets.iter().flat_map(|subset| subset.ports.iter().flatten()).map(|port| port.port);
        assert!(ports.into_iter().all(|port| port != 9090));
    }
}
