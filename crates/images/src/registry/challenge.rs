//! How a registry says that it wants to know who asks. (RFC 9110, "WWW-Authenticate".)

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user and a password.
    Basic,
    /// A token, which is to be had at `realm`.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// Reads a header; `None` for what is not understood.
    pub(super) fn parse(header: &str) -> Option<Challenge> {
        let (scheme, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service) = (None, None);
        let mut rest = parameters;
        while let Some((name, value, behind)) = parameter(rest) {
            match name {
                _ if name.eq_ignore_ascii_case("realm") => realm = Some(value.to_owned()),
                _ if name.eq_ignore_ascii_case("service") => service = Some(value.to_owned()),
                _ => {}
            }
            rest = behind;
        }
        realm.map(|realm| Challenge::Bearer { realm, service })
    }
}

/// The first of some parameters, `name="value"` or `name=value`, and the others.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.trim_start_matches([' ', ',']).split_once('=')?;
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_once(',').unwrap_or((rest, "")),
    };
    Some((name.trim(), value.trim(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        for (header, expect) in [
            ("Basic realm=\"r\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.example.com/token?a=b,c\",service=\"s 1\",scope=\"x\"",
                bearer("https://auth.example.com/token?a=b,c", Some("s 1")),
            ),
            ("Bearer Service=s, Realm=https://r", bearer("https://r", Some("s"))),
            ("Bearer realm=\"https://r", None),
            ("Bearer service=\"s\"", None),
            ("Digest realm=\"r\"", None),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), expect, "{header}");
        }
    }
}
