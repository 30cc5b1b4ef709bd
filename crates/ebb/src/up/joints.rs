//! Where parts that do not know each other meet: each joint is one part's trait over another part.

mod digests;
mod gateways;
mod kubelet;
mod node_seams;
mod pod_tokens;

pub(super) use self::{
    digests::Digests,
    gateways::EmbeddedGateways,
    kubelet::NodeKubelet,
    node_seams::{DialNode, DrainPods, Starts, Stats, next_daemon},
    pod_tokens::PodTokens,
};
