//! Whether a value of one type can stand where another is wanted, and what that says of types that are still to be found
//! (upstream: cel-go, `checker/types.go`).

use std::sync::Arc;

use crate::kind::Type;

/// What is known of types that are still to be found.
#[derive(Debug, Default)]
pub(crate) struct Unifier {
    found: Vec<Option<Type>>,
    /// What was known before, so that an attempt that fails can be taken back.
    trail: Vec<(usize, Option<Type>)>,
}

impl Unifier {
    /// A type that is still to be found.
    pub(crate) fn fresh(&mut self) -> Type {
        self.found.push(None);
        Type::Param(self.found.len() - 1)
    }

    /// The type with fresh ones in place of its own parameters. `fresh`: those of this use so far.
    pub(crate) fn instantiate(&mut self, of: &Type, fresh: &mut Vec<Option<Type>>) -> Type {
        match of {
            Type::Param(at) => {
                if fresh.len() <= *at {
                    fresh.resize(at + 1, None);
                }
                fresh[*at].get_or_insert_with(|| self.fresh()).clone()
            }
            Type::List(item) => Type::list(self.instantiate(item, fresh)),
            Type::Map(key, value) => {
                let key = self.instantiate(key, fresh);
                Type::map(key, self.instantiate(value, fresh))
            }
            Type::Optional(of) => Type::optional(self.instantiate(of, fresh)),
            Type::Type(Some(of)) => Type::Type(Some(Arc::new(self.instantiate(of, fresh)))),
            plain => plain.clone(),
        }
    }

    /// Whether each of some types can stand for the one beside it; if not, nothing was learnt.
    pub(crate) fn assignable<'t>(&mut self, pairs: impl IntoIterator<Item = (&'t Type, &'t Type)>) -> bool {
        self.trail.clear();
        let fits = pairs.into_iter().all(|(one, other)| self.fits(one, other));
        if !fits {
            while let Some((at, before)) = self.trail.pop() {
                self.found[at] = before;
            }
        }
        fits
    }

    fn known(&self, of: &Type) -> Option<&Type> {
        match of {
            Type::Param(at) => self.found.get(*at)?.as_ref(),
            _ => None,
        }
    }

    fn learn(&mut self, param: &Type, of: Type) {
        if let Type::Param(at) = param
            && let Some(slot) = self.found.get_mut(*at)
        {
            self.trail.push((*at, slot.replace(of)));
        }
    }

    fn fits(&mut self, one: &Type, other: &Type) -> bool {
        if matches!(other, Type::Param(_)) {
            let known = self.known(other).is_some();
            if self.substitutes(one, other) {
                return true;
            }
            if known {
                return false;
            }
        }
        if matches!(one, Type::Param(_)) {
            return self.substitutes(other, one);
        }
        if one.is_dyn_or_error() || other.is_dyn_or_error() {
            return true;
        }
        match (one, other) {
            (Type::Null, with) | (with, Type::Null) => nullable(with),
            (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
                self.fits(one, other)
            }
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.fits(key, other_key) && self.fits(value, other_value)
            }
            (Type::Type(_), Type::Type(_)) => true,
            (one, other) => one == other,
        }
    }

    /// Whether a type can be what a parameter stands for.
    fn substitutes(&mut self, of: &Type, param: &Type) -> bool {
        if of == param {
            return true;
        }
        if let Some(known) = self.known(param).cloned() {
            if *of == known {
                return true;
            }
            if !self.fits(of, &known) {
                return false;
            }
            let general = most_general(of.clone(), known);
            if !self.occurs(param, &general) {
                self.learn(param, general);
            }
            return true;
        }
        if self.occurs(param, of) {
            return false;
        }
        self.learn(param, of.clone());
        true
    }

    /// Whether a type consists of another.
    fn occurs(&self, param: &Type, within: &Type) -> bool {
        if param == within {
            return true;
        }
        match within {
            Type::Param(_) => self.known(within).is_some_and(|known| self.occurs(param, known)),
            Type::List(of) | Type::Optional(of) | Type::Type(Some(of)) => self.occurs(param, of),
            Type::Map(key, value) => self.occurs(param, key) || self.occurs(param, value),
            _ => false,
        }
    }

    /// The type with all that was found put in. `dynamic`: what was not found is found out at evaluation.
    pub(crate) fn resolve(&self, of: &Type, dynamic: bool) -> Type {
        if let Some(known) = self.known(of) {
            return self.resolve(known, dynamic);
        }
        match of {
            Type::Param(_) if dynamic => Type::Dyn,
            Type::List(item) => Type::list(self.resolve(item, dynamic)),
            Type::Map(key, value) => Type::map(self.resolve(key, dynamic), self.resolve(value, dynamic)),
            Type::Optional(of) => Type::optional(self.resolve(of, dynamic)),
            Type::Type(Some(of)) => Type::Type(Some(Arc::new(self.resolve(of, dynamic)))),
            plain => plain.clone(),
        }
    }
}

fn nullable(of: &Type) -> bool {
    matches!(
        of,
        Type::Null
            | Type::Opaque(_)
            | Type::Optional(_)
            | Type::Object(_)
            | Type::Duration
            | Type::Timestamp
            | Type::Dyn
    )
}

/// Of two types that fit each other the one that says less.
pub(crate) fn most_general(one: Type, other: Type) -> Type {
    if says_no_more(&one, &other) { one } else { other }
}

fn says_no_more(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Dyn | Type::Param(_), _) => true,
        (_, Type::Dyn | Type::Param(_)) => false,
        (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
            says_no_more(one, other)
        }
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            says_no_more(key, other_key) && says_no_more(value, other_value)
        }
        (Type::Type(_), Type::Type(_)) => true,
        (one, other) => one == other,
    }
}
