//! Which container of a pod is meant (upstream: kubernetes, core/pod `validateContainer`).

use resources::builtin::Pod;

use crate::status::Failure;

/// The container of this name; the only one need not be named.
pub(super) fn container(pod: &Pod, wanted: Option<&str>) -> Result<String, Failure> {
    let spec = pod.spec.as_ref();
    let own: Vec<&str> =
        spec.iter().flat_map(|spec| &spec.containers).map(|container| container.name.as_str()).collect();
    let init = spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let all: Vec<&str> = init.map(|container| container.name.as_str()).chain(own.iter().copied()).collect();
    let pod = pod.metadata.name.as_deref().unwrap_or_default();
    match (wanted, own.as_slice()) {
        (Some(wanted), _) if all.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => {
            Err(Failure::bad_request(format!("container {wanted} is not valid for pod {pod}")))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(Failure::bad_request(format!(
            "a container name must be specified for pod {pod}, choose one of: [{}]",
            all.join(" ")
        ))),
    }
}
