//! URLs (upstream: apiserver, `library/urls.go`; Go's `net/url.ParseRequestURI`).

use std::collections::BTreeMap;

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Key, Map, Own, Text, Value},
};

/// A URL with a scheme, or a path from the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    /// With its port.
    host: String,
    path: String,
    query: String,
}

impl Url {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f || byte == b' ') {
            return None;
        }
        let (scheme, rest) = if text.starts_with('/') { ("", text) } else { text.split_once(':')? };
        let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !scheme.is_empty() && !is_scheme {
            return None;
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match rest.strip_prefix("//").filter(|_| !scheme.is_empty()) {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (authority.rsplit_once('@').map_or(authority, |(_, host)| host), path)
            }
            // What is neither from the root nor of a host says nothing of where it is.
            None if !scheme.is_empty() && !rest.starts_with('/') => ("", ""),
            None => ("", rest),
        };
        if !is_host(host) || !is_escaped(path) {
            return None;
        }
        Some(Self {
            scheme: scheme.to_lowercase(),
            host: host.into(),
            path: path.into(),
            query: query.into(),
        })
    }

    fn hostname(&self) -> &str {
        match self.host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, _)) => inner,
            None => self.host.rsplit_once(':').map_or(&self.host, |(name, _)| name),
        }
    }

    fn port(&self) -> &str {
        let after = self.host.rsplit_once(']').map_or(self.host.as_str(), |(_, after)| after);
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }
}

fn is_host(host: &str) -> bool {
    let (name, rest) = match host.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((name, rest)) if name.parse::<std::net::Ipv6Addr>().is_ok() => ("", rest),
            _ => return false,
        },
        None => host.rsplit_once(':').map_or((host, ""), |(name, _)| (name, &host[name.len()..])),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let name_fine = !name.contains([':', '<', '>', '"', '\\', '^', '`', '{', '}', '|']) && is_escaped(name);
    name_fine && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether every percent sign has two digits after it.
fn is_escaped(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|part| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// A part of a query without its escapes.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        match (byte, after) {
            (b'%', [one, two, after @ ..]) => {
                let digits = [*one, *two];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (b'+', after) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, after) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn read<'a>(args: &'a [Value<'_>]) -> Result<&'a Url, Failure> {
    match args {
        [Value::Own(own)] => match &**own {
            Own::Url(url) => Ok(url),
            _ => Err(Failure::no_overload()),
        },
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn url<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    budget.make(text.len())?;
    let url = Url::read(text);
    let url = url.ok_or_else(|| {
        Failure::error(format!(
            "URL parse error during conversion from string: parse {text:?}: invalid URI for request"
        ))
    })?;
    Ok(Value::own(Own::Url(url)))
}

pub(crate) fn is_url<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    budget.make(text.len())?;
    Ok(Value::Bool(Url::read(text).is_some()))
}

pub(crate) fn scheme<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    read(args).map(|url| url.scheme.clone().into())
}

pub(crate) fn host<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    read(args).map(|url| url.host.clone().into())
}

pub(crate) fn hostname<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    read(args).map(|url| url.hostname().to_owned().into())
}

pub(crate) fn port<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    read(args).map(|url| url.port().to_owned().into())
}

pub(crate) fn escaped_path<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let url = read(args)?;
    budget.make(url.path.len())?;
    Ok(url.path.clone().into())
}

pub(crate) fn query<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let url = read(args)?;
    let mut all: BTreeMap<String, Vec<Value<'v>>> = BTreeMap::new();
    for pair in url.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        budget.make(4 * size_of::<Value<'_>>() + 2 * pair.len())?;
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(name), Some(value)) = (unescape(name), unescape(value)) {
            all.entry(name).or_default().push(value.into());
        }
    }
    let entry =
        |(name, values): (String, Vec<Value<'v>>)| (Key::String(Text::Own(name.into())), Value::list(values));
    Ok(Value::Map(Map::Own(all.into_iter().map(entry).collect::<BTreeMap<_, _>>().into())))
}
