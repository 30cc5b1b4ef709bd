//! What an object is called, on disk and in the index: `group/plural/namespace/name`, with `core` and `-` for what is
//! empty.

use std::{cmp::Ordering, fmt, sync::Arc};

use resources::{Kind, ObjectKey};

/// An object's name on disk. The index, the caches and the journal share one text of it.
///
/// Keys of one kind are in the order of lists: by namespace, then name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<str>);

/// The prefix of a kind's keys. The version is not part of it: every version of a kind is one object, and so is every form.
pub(super) fn prefix(kind: &Kind) -> String {
    let kind = kind.original();
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    format!("{group}/{}/", kind.plural)
}

impl Key {
    pub(crate) fn of(kind: &Kind, key: &ObjectKey) -> Self {
        let namespace = if key.namespace.is_empty() { "-" } else { &key.namespace };
        Self(format!("{}{namespace}/{}", prefix(kind), key.name).into())
    }

    /// Before every other key.
    pub(super) fn before_all() -> Self {
        Self("".into())
    }

    /// As it was found on disk, under a kind's prefix; `None` for what names no object.
    pub(super) fn found(prefix: &str, text: Arc<str>) -> Option<Self> {
        text.strip_prefix(prefix)?.split_once('/')?;
        Some(Self(text))
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.0
    }

    /// Empty for cluster-scoped kinds.
    pub(crate) fn namespace(&self) -> &str {
        match self.parts().0 {
            "-" => "",
            namespace => namespace,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let (rest, name) = self.0.rsplit_once('/').unwrap_or_default();
        (rest.rsplit_once('/').unwrap_or_default().1, name)
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.0.as_bytes(), other.0.as_bytes());
        // Keys of a kind begin alike, so they are compared sixteen bytes at a time as far as that goes.
        let (words, others) = (one.as_chunks::<16>().0, two.as_chunks::<16>().0);
        let alike = 16 * words.iter().zip(others).take_while(|(one, two)| one == two).count();
        // A namespace comes before those that it is a prefix of, so what ends it counts least.
        let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
        match one[alike..].iter().zip(&two[alike..]).find(|(one, two)| one != two) {
            Some((one, two)) => rank(*one).cmp(&rank(*two)),
            None => one.len().cmp(&two.len()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use resources::{Object, builtin::ConfigMap};

    use super::*;

    #[test]
    fn keys_are_in_the_order_of_lists() {
        let names = [
            ("", "a"),
            ("", "b"),
            ("a", ""),
            ("a", "x"),
            ("a", "x-1"),
            ("a", "x.1"),
            ("a-b", "a"),
            ("a.b", "a"),
        ];
        let keys = names.map(|(namespace, name)| ObjectKey::new(namespace, name));
        let of = |key: &ObjectKey| Key::of(<ConfigMap as Object>::kind(), key);
        for one in &keys {
            let key = of(one);
            assert_eq!((key.namespace(), key.name()), (one.namespace.as_str(), one.name.as_str()));
            // Within a kind all objects have a namespace, or none has.
            for two in keys.iter().filter(|two| one.namespace.is_empty() == two.namespace.is_empty()) {
                assert_eq!(of(one).cmp(&of(two)), one.cmp(two), "{one} and {two}");
            }
        }
    }
}
