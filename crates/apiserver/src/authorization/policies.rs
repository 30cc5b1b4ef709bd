//! The rules in force.

use std::{ops::ControlFlow, sync::Arc};

use objects::{ChangeKind, Error};
use parking_lot::RwLock;
use resources::{
    Kind, Object,
    builtin::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef},
};

use super::{
    Attributes,
    index::{Index, NoSuchRole},
    rule,
};
use crate::{
    authentication::User,
    store::{Follower, PageOptions, Selection, Start, Store},
};

/// All roles and bindings, as they are at every moment.
pub(crate) struct Policies {
    store: Arc<Store>,
    state: RwLock<State>,
}

/// What is known, and where its changes come from.
struct State {
    index: Index,
    followers: Vec<Follower>,
    /// Whether changes were lost on the way.
    stale: bool,
}

/// The answer to whether somebody may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    /// What allows it, or what kept a binding from being looked at; mostly empty when it is refused.
    pub(crate) reason: String,
}

fn kinds() -> [&'static Kind; 4] {
    [ClusterRole::kind(), Role::kind(), ClusterRoleBinding::kind(), RoleBinding::kind()]
}

impl Policies {
    /// The roles and bindings of a store.
    pub(crate) async fn load(store: Arc<Store>) -> Result<Self, Error> {
        let state = RwLock::new(State::load(&store).await?);
        Ok(Self { store, state })
    }

    /// Whether a user may.
    pub(crate) async fn authorize(&self, user: &User, attributes: &Attributes) -> Result<Decision, Error> {
        if user.is_admin() {
            return Ok(Decision { allowed: true, reason: String::new() });
        }
        self.catch_up().await?;
        Ok(self.decide(user, attributes))
    }

    /// As [`Policies::authorize`], with what was known when that was last called.
    pub(crate) fn decide(&self, user: &User, attributes: &Attributes) -> Decision {
        if user.is_admin() {
            return Decision { allowed: true, reason: String::new() };
        }
        let mut found = None;
        let state = self.state.read();
        let missing = state.index.visit(user, attributes.namespace(), |source, rule| {
            if !rule::allows(rule, attributes) {
                return ControlFlow::Continue(());
            }
            found = Some(format!("RBAC: allowed by {source}"));
            ControlFlow::Break(())
        });
        match (found, missing.as_slice()) {
            (Some(reason), _) => Decision { allowed: true, reason },
            (None, []) => Decision::default(),
            (None, missing) => Decision { allowed: false, reason: format!("RBAC: {}", aggregate(missing)) },
        }
    }

    /// Every rule that applies to a user in a namespace, and what kept others from being found.
    pub(crate) fn rules_of(&self, user: &User, namespace: &str) -> (Vec<PolicyRule>, Option<String>) {
        let mut rules = Vec::new();
        let missing = self.state.read().index.visit(user, namespace, |_, rule| {
            rules.push(rule.clone());
            ControlFlow::Continue(())
        });
        (rules, (!missing.is_empty()).then(|| aggregate(&missing)))
    }

    /// The rules of the role that a binding in a namespace names.
    pub(super) fn rules_in(&self, role: &RoleRef, namespace: &str) -> Result<Arc<[PolicyRule]>, NoSuchRole> {
        self.state.read().index.rules(role, namespace).cloned()
    }

    /// Takes in what was written since: a write counts from its answer on.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        if self.state.read().is_current() {
            return Ok(());
        }
        if self.state.write().catch_up().is_err() {
            // Mostly so much was written that not all changes are there any more.
            let state = State::load(&self.store).await?;
            *self.state.write() = state;
        }
        Ok(())
    }
}

impl State {
    async fn load(store: &Arc<Store>) -> Result<Self, Error> {
        let (mut index, mut followers) = (Index::default(), Vec::new());
        for kind in kinds() {
            let all = Selection::default();
            let page = store.page(kind, &all, PageOptions { limit: 0, from: Start::Now }).await?;
            for stored in &page.items {
                index.insert(&stored.object()?);
            }
            followers.push(store.follow(kind, all, page.version)?);
        }
        let mut state = Self { index, followers, stale: false };
        // What was written after a page was read and before it was followed is no news to anybody.
        state.catch_up()?;
        Ok(state)
    }

    fn is_current(&self) -> bool {
        !self.stale && self.followers.iter().all(|follower| !follower.has_news())
    }

    fn catch_up(&mut self) -> Result<(), Error> {
        let lost = std::mem::replace(&mut self.stale, true);
        if lost {
            return Err(Error::Unavailable("changes of roles or bindings were lost".into()));
        }
        let Self { index, followers, .. } = self;
        for follower in followers {
            loop {
                let seen = follower.take_news()?;
                if seen.is_empty() {
                    break;
                }
                for change in seen {
                    let object = change.stored.object()?;
                    match change.kind {
                        ChangeKind::Deleted => index.remove(&object),
                        ChangeKind::Added | ChangeKind::Modified => index.insert(&object),
                    }
                }
            }
        }
        self.stale = false;
        Ok(())
    }
}

/// Several errors as Kubernetes joins them, each once.
fn aggregate(missing: &[NoSuchRole]) -> String {
    let mut all: Vec<String> = Vec::new();
    for message in missing.iter().map(ToString::to_string) {
        if !all.contains(&message) {
            all.push(message);
        }
    }
    match all.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
