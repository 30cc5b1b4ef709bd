//! Acting as somebody else, by headers (upstream: apiserver, `endpoints/filters/impersonation.go`).

use http::HeaderMap;

use super::{
    User,
    user::{ANONYMOUS, AUTHENTICATED, SERVICE_ACCOUNT_PREFIX, UNAUTHENTICATED, service_account_groups},
};
use crate::{
    authorization::{Asked, Attributes, Policies},
    rest::decode,
    status::Failure,
};

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA_PREFIX: &str = "impersonate-extra-";
/// The group of the API that uids and what else is known of a user belong to.
const AUTHENTICATION: &str = "authentication.k8s.io";

/// The user that a request is to count as, if it names another and its sender may act as that in every respect.
pub(crate) async fn impersonate(
    policies: &Policies,
    user: User,
    headers: &HeaderMap,
) -> Result<User, Failure> {
    let Some(wish) = Wish::of(headers)? else { return Ok(user) };
    for attributes in wish.asked() {
        let decision = policies.authorize(&user, &attributes).await?;
        if !decision.allowed {
            return Err(Failure::not_authorized(&user.name, &attributes, &decision.reason));
        }
    }
    Ok(wish.into_user())
}

/// Whom the headers name.
#[derive(Debug, Default)]
struct Wish {
    user: String,
    groups: Vec<String>,
    uid: String,
    extra: Vec<(String, String)>,
}

impl Wish {
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let all = |name: &str| headers.get_all(name).iter().map(|value| text(value.as_bytes())).collect();
        let one = |name: &str| headers.get(name).map(|value| text(value.as_bytes())).unwrap_or_default();
        let extra = headers.iter().filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix(EXTRA_PREFIX)?;
            Some((decode(key), text(value.as_bytes())))
        });
        let wish = Self { user: one(USER), groups: all(GROUP), uid: one(UID), extra: extra.collect() };
        let more = !(wish.groups.is_empty() && wish.uid.is_empty() && wish.extra.is_empty());
        match (wish.user.is_empty(), more) {
            (true, true) => {
                Err(Failure::untyped("Impersonate-Group, -Uid and -Extra require Impersonate-User"))
            }
            (true, false) => Ok(None),
            (false, _) => Ok(Some(wish)),
        }
    }

    /// What its sender must be allowed, each.
    fn asked(&self) -> Vec<Attributes> {
        let ask = |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| Attributes {
            verb: "impersonate".into(),
            asked: Asked::Resource {
                group: group.into(),
                resource: resource.into(),
                subresource: subresource.into(),
                namespace: namespace.into(),
                name: name.into(),
            },
        };
        let mut asked = vec![match service_account(&self.user) {
            Some((namespace, name)) => ask("", "serviceaccounts", "", namespace, name),
            None => ask("", "users", "", "", &self.user),
        }];
        asked.extend(self.groups.iter().map(|group| ask("", "groups", "", "", group)));
        asked.extend(self.extra.iter().map(|(key, value)| ask(AUTHENTICATION, "userextras", key, "", value)));
        if !self.uid.is_empty() {
            asked.push(ask(AUTHENTICATION, "uids", "", "", &self.uid));
        }
        asked
    }

    fn into_user(self) -> User {
        let Self { user: name, groups, uid, extra } = self;
        let mut user = User { name, uid, groups, ..User::default() };
        if let Some((namespace, _)) = service_account(&user.name).filter(|_| user.groups.is_empty()) {
            user.groups = service_account_groups(namespace);
        }
        for (key, value) in extra {
            user.extra.entry(key).or_default().push(value);
        }
        let is_told = user.is_in(UNAUTHENTICATED) || user.is_in(AUTHENTICATED) && user.name != ANONYMOUS;
        if !is_told {
            let group = if user.name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
            user.groups.push(group.to_owned());
        }
        user
    }
}

/// The namespace and the name of the ServiceAccount that a user's name is of.
fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT_PREFIX)?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
