//! Names of revisions that go elsewhere. One that a platform gave, `hello-00002`, it gives again there to a revision of that
//! service's own, so it is `hello-r00002` from then on.

use resources::{
    Object,
    serving::{Revision, Service},
};

pub(super) struct Renamed {
    service: String,
    /// Before the number: so many letters that nobody has the name.
    mark: String,
}

impl Renamed {
    /// The names of a service and of revisions of it.
    pub(super) fn of(service: &Service, revisions: &[Revision]) -> Self {
        let traffic = service.spec.traffic.iter().filter_map(|target| target.revision_name.as_deref());
        let names: Vec<_> = revisions.iter().map(Object::name).chain(traffic).collect();
        let prefix = format!("{}-", service.name());
        let mut mark = "r".to_owned();
        while names.iter().any(|name| name.strip_prefix(&prefix).is_some_and(|rest| is_numbered(rest, &mark)))
        {
            mark.push('r');
        }
        Self { service: service.name().to_owned(), mark }
    }

    /// A service with its template and its traffic under the new names. What follows the latest names none.
    pub(super) fn service(&self, service: &mut Service) {
        let named = &mut service.spec.template.metadata.name;
        *named = named.take().map(|name| self.name(&name));
        for target in &mut service.spec.traffic {
            let follows = target.latest_revision == Some(true);
            target.revision_name =
                target.revision_name.take().filter(|_| !follows).map(|name| self.name(&name));
        }
    }

    pub(super) fn name(&self, name: &str) -> String {
        let number = name.strip_prefix(&self.service).and_then(|rest| rest.strip_prefix('-'));
        match number.filter(|rest| is_numbered(rest, "")) {
            Some(number) => format!("{}-{}{number}", self.service, self.mark),
            None => name.to_owned(),
        }
    }
}

/// Whether it is a mark and a number as a platform writes it (upstream: serving, `%05d`).
fn is_numbered(text: &str, mark: &str) -> bool {
    let number = text.strip_prefix(mark).unwrap_or_default();
    number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit())
}
