//! The Node object, and the Lease by which others see that the node is there.
//!
//! A kubelet writes its Lease every ten seconds, for a control plane that has to notice when a machine is gone. Here both
//! are one process, and an idle machine stays idle: Node and Lease are written at each start, when something has changed
//! and every five minutes, as often as a kubelet writes a Node of which there is nothing new.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use node::NODE_ADDRESS;
use objects::{Client, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{Lease, LeaseSpec, Node, NodeAddress, NodeCondition, NodeStatus},
    meta::{MicroTime, ObjectMeta, OwnerReference, Time},
};

use super::{
    NODE,
    machine::{Machine, architecture},
};
use crate::runtime;

/// How often it is looked whether they are there.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);
/// How old what they say of the time may become.
const HEARTBEAT: SignedDuration = SignedDuration::from_secs(300);
/// For how long the Lease says that the node is there: until the second heartbeat from now.
const LEASE_SECS: i32 = 600;
/// Where kubelets have their Leases.
const LEASES: &str = "kube-node-lease";

/// What the node says of itself: type, status, reason, message. Nothing is evicted here, so that nothing is ever short.
const CONDITIONS: [(&str, &str, &str, &str); 4] = [
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "ebb is posting ready status"),
];

/// Keeps the Node and its Lease there; what was deleted comes back within a minute. `disk`: a directory of the file system
/// that has what pods write.
pub(in crate::up) async fn register(client: Client, disk: PathBuf) {
    let machine = Machine::here(&disk);
    // What is there at first an earlier process has said.
    let mut said = false;
    loop {
        match registered(&client, &machine, runtime::now(), said).await {
            Ok(()) => said = true,
            Err(error) => tracing::warn!(%error, "could not write the Node object or its Lease"),
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// `said`: this process has written both before.
async fn registered(client: &Client, machine: &Machine, now: Timestamp, said: bool) -> objects::Result<()> {
    let key = ObjectKey::cluster(NODE);
    if client.find::<Node>(&key).await?.is_none() {
        let labels = [
            ("kubernetes.io/hostname", NODE),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", architecture()),
        ];
        let metadata = ObjectMeta {
            name: Some(NODE.to_owned()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        };
        client.create(Node { metadata, ..Node::default() }).await?;
    }
    let node = client
        .modify::<Node>(WriteTarget::Status, &key, |node| {
            let before = node.status.clone().unwrap_or_default();
            if let Some(next) = next(&before, machine, now, said) {
                node.status = Some(next);
            }
        })
        .await?;
    renew(client, &node, now, said).await
}

/// The status as the machine has it; `None` where this process has `said` that already, and lately enough. What others
/// have put there stays.
fn next(before: &NodeStatus, machine: &Machine, now: Timestamp, said: bool) -> Option<NodeStatus> {
    let mut next = before.clone();
    for resources in [&mut next.capacity, &mut next.allocatable] {
        resources.get_or_insert_default().extend(machine.resources.clone());
    }
    let address =
        |(kind, address): (&str, &str)| NodeAddress { type_: kind.to_owned(), address: address.to_owned() };
    next.addresses = Some([("InternalIP", NODE_ADDRESS), ("Hostname", NODE)].map(address).into());
    next.node_info = Some(machine.info.clone());
    let conditions = next.conditions.get_or_insert_default();
    let heartbeats = conditions.iter().filter(|condition| is_own(condition));
    let oldest = heartbeats.map(|condition| condition.last_heartbeat_time.as_ref().map(|time| time.0)).min();
    for own in CONDITIONS {
        set(conditions, own, now);
    }
    if said && next == *before && oldest.flatten().is_some_and(|oldest| is_recent(oldest, now)) {
        return None;
    }
    for condition in next.conditions.iter_mut().flatten().filter(|condition| is_own(condition)) {
        condition.last_heartbeat_time = Some(Time(now));
    }
    Some(next)
}

fn is_own(condition: &NodeCondition) -> bool {
    CONDITIONS.iter().any(|(kind, ..)| *kind == condition.type_)
}

/// Whether it is not so long ago; the future, from which a clock was set back, is not recent either.
fn is_recent(time: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..HEARTBEAT).contains(&now.duration_since(time))
}

fn set(conditions: &mut Vec<NodeCondition>, own: (&str, &str, &str, &str), now: Timestamp) {
    let (kind, status, reason, message) = own;
    let position = conditions.iter().position(|condition| condition.type_ == kind);
    let last = position.map(|at| conditions[at].clone()).unwrap_or_default();
    let since = last.last_transition_time.filter(|_| last.status == status);
    let next = NodeCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_heartbeat_time: last.last_heartbeat_time,
        last_transition_time: since.or(Some(Time(now))),
    };
    match position {
        Some(at) => conditions[at] = next,
        None => conditions.push(next),
    }
}

/// Says for another while that the node is there. The Lease goes with the Node.
async fn renew(client: &Client, node: &Node, now: Timestamp, said: bool) -> objects::Result<()> {
    let key = ObjectKey::new(LEASES, NODE);
    let spec = LeaseSpec {
        holder_identity: Some(NODE.to_owned()),
        lease_duration_seconds: Some(LEASE_SECS),
        renew_time: Some(MicroTime(now)),
        ..LeaseSpec::default()
    };
    let Some(lease) = client.find::<Lease>(&key).await? else {
        let owner = OwnerReference {
            api_version: Node::kind().api_version(),
            kind: Node::kind().kind.to_owned(),
            name: node.name().to_owned(),
            uid: node.uid().to_owned(),
            ..OwnerReference::default()
        };
        let metadata = ObjectMeta {
            name: Some(key.name),
            namespace: Some(key.namespace),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        };
        return client.create(Lease { metadata, spec: Some(spec) }).await.map(drop);
    };
    let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref());
    if said && renewed.is_some_and(|renewed| is_recent(renewed.0, now)) {
        return Ok(());
    }
    client.modify::<Lease>(WriteTarget::Object, &key, |lease| lease.spec = Some(spec.clone())).await.map(drop)
}

#[cfg(test)]
mod tests {
    use resources::{builtin::NodeSystemInfo, meta::Quantity};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn machine() -> Machine {
        let resources = [("cpu".to_owned(), Quantity("2".to_owned()))].into();
        Machine { info: NodeSystemInfo { os_image: "Test".to_owned(), ..Default::default() }, resources }
    }

    fn times(status: &NodeStatus) -> Vec<(&str, i64, i64)> {
        let second = |time: &Option<Time>| time.as_ref().unwrap().0.as_second();
        let conditions = status.conditions.iter().flatten();
        conditions
            .map(|it| (it.type_.as_str(), second(&it.last_heartbeat_time), second(&it.last_transition_time)))
            .collect()
    }

    #[test]
    fn a_heartbeat_is_written_every_five_minutes_and_a_change_at_once() {
        let first = next(&NodeStatus::default(), &machine(), at(1000), false).unwrap();
        assert_eq!(
            times(&first),
            ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].map(|kind| (kind, 1000, 1000))
        );
        let addresses: Vec<_> = first.addresses.iter().flatten().map(|it| &*it.type_).collect();
        assert_eq!(addresses, ["InternalIP", "Hostname"]);
        assert_eq!(first.capacity, first.allocatable);
        for (second, expect) in [(1000, None), (1299, None), (1300, Some(1300)), (900, Some(900))] {
            let next = next(&first, &machine(), at(second), true);
            let heartbeats = next.as_ref().map(|next| times(next)[0].1);
            assert_eq!(heartbeats, expect, "{second}");
            let mut since = next.iter().flat_map(times).map(|(.., since)| since);
            assert!(since.all(|since| since == 1000), "nothing has changed");
        }
        let mut other = machine();
        other.info.boot_id = "another".to_owned();
        let changed = next(&first, &other, at(1001), true).unwrap();
        assert_eq!(times(&changed)[3], ("Ready", 1001, 1000));
        assert_eq!(changed.node_info.unwrap().boot_id, "another");
    }

    #[test]
    fn what_an_earlier_process_has_said_is_said_again() {
        let first = next(&NodeStatus::default(), &machine(), at(1000), false).unwrap();
        let again = next(&first, &machine(), at(1001), false).unwrap();
        assert!(times(&again).iter().all(|(_, heartbeat, since)| (*heartbeat, *since) == (1001, 1000)));
        assert_eq!(next(&again, &machine(), at(1002), true), None);
    }

    #[test]
    fn what_others_say_of_the_node_stays() {
        let mut before = next(&NodeStatus::default(), &machine(), at(1000), false).unwrap();
        let theirs = NodeCondition { type_: "KernelDeadlock".to_owned(), ..NodeCondition::default() };
        before.conditions.as_mut().unwrap().push(theirs.clone());
        let extended = ("example.com/thing".to_owned(), Quantity("3".to_owned()));
        before.capacity.as_mut().unwrap().extend([extended.clone()]);
        assert_eq!(next(&before, &machine(), at(1001), true), None, "and is no reason to write");
        let later = next(&before, &machine(), at(2000), true).unwrap();
        assert!(later.conditions.unwrap().contains(&theirs));
        assert_eq!(later.capacity.unwrap().get(&extended.0), Some(&extended.1));
    }
}
