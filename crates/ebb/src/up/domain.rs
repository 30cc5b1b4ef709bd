//! The domain of the services' URLs: a ConfigMap, like upstream's, that starts out as `localhost`.

use std::collections::BTreeMap;

use objects::{Client, Result, WriteTarget};
use resources::{ObjectKey, builtin::ConfigMap};

/// The domain of a platform that only its own machine reaches: `*.localhost` needs no DNS.
pub(crate) const DEFAULT: &str = "localhost";

/// Marks the entry that is Ebb's to replace when `--domain` changes.
const MINE: &str = "ebb.internal/domain";
/// The key of upstream's example, which is no domain.
const EXAMPLE: &str = "_example";

/// Makes `config-domain` say what the flag says; what the user wrote into it stays. Returns the default domain.
pub(crate) async fn settle(client: &Client, flag: Option<&str>) -> Result<String> {
    let key = ObjectKey::new("knative-serving", "config-domain");
    let map = client.modify::<ConfigMap>(WriteTarget::Object, &key, |map| set(map, flag)).await?;
    Ok(default_of(&map).unwrap_or_else(|| DEFAULT.to_owned()))
}

fn set(map: &mut ConfigMap, flag: Option<&str>) {
    let annotations = map.metadata.annotations.get_or_insert_default();
    let data = map.data.get_or_insert_default();
    let domains = data.keys().filter(|key| *key != EXAMPLE).count();
    let mine = annotations.get(MINE).cloned().filter(|mine| data.contains_key(mine));
    let wanted = match (flag, &mine) {
        (Some(flag), _) => flag,
        (None, Some(_)) => return,
        (None, None) if domains > 0 => return,
        (None, None) => DEFAULT,
    };
    if let Some(mine) = mine {
        data.remove(&mine);
    }
    data.entry(wanted.to_owned()).or_default();
    annotations.insert(MINE.to_owned(), wanted.to_owned());
}

/// The domain without a selector.
fn default_of(map: &ConfigMap) -> Option<String> {
    let data: &BTreeMap<_, _> = map.data.as_ref()?;
    data.iter()
        .find(|(key, value)| *key != EXAMPLE && !value.contains("selector"))
        .map(|(key, _)| key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_entries_stay() {
        // keys before, the marked one, the flag → keys after
        type Case =
            (&'static [&'static str], Option<&'static str>, Option<&'static str>, &'static [&'static str]);
        let cases: &[Case] = &[
            (&["_example"], None, None, &["_example", "localhost"]),
            (&[], None, Some("a.example"), &["a.example"]),
            (&["localhost"], Some("localhost"), Some("a.example"), &["a.example"]),
            (&["a.example"], Some("a.example"), None, &["a.example"]),
            (&["user.example"], None, None, &["user.example"]),
            (&["user.example"], None, Some("a.example"), &["a.example", "user.example"]),
        ];
        for (before, mine, flag, expect) in cases {
            let mut map = ConfigMap::default();
            map.data = Some(before.iter().map(|key| ((*key).to_owned(), String::new())).collect());
            map.metadata.annotations = mine.map(|mine| BTreeMap::from([(MINE.to_owned(), mine.to_owned())]));
            set(&mut map, *flag);
            let after: Vec<_> = map.data.unwrap().into_keys().collect();
            assert_eq!(after, *expect, "{before:?} {mine:?} {flag:?}");
        }
    }
}
