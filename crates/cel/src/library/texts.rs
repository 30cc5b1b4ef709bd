//! Texts (upstream: cel-go, `ext/strings.go`). Places are counted in characters.

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Text, Value},
};

/// The text that a function is of.
fn target<'a>(args: &'a [Value<'_>]) -> Result<&'a str, Failure> {
    text(args, 0)
}

fn text<'a>(args: &'a [Value<'_>], at: usize) -> Result<&'a str, Failure> {
    args.get(at).and_then(Value::text).ok_or_else(Failure::no_overload)
}

fn number(args: &[Value<'_>], at: usize) -> Result<Option<i64>, Failure> {
    match args.get(at) {
        None => Ok(None),
        Some(Value::Int(number)) => Ok(Some(*number)),
        Some(_) => Err(Failure::no_overload()),
    }
}

fn made<'v>(text: String, budget: &mut Budget) -> Answer<'v> {
    budget.make(text.len())?;
    Ok(text.into())
}

pub(crate) fn contains<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Bool(target(args)?.contains(text(args, 1)?)))
}

pub(crate) fn starts_with<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Bool(target(args)?.starts_with(text(args, 1)?)))
}

pub(crate) fn ends_with<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Bool(target(args)?.ends_with(text(args, 1)?)))
}

pub(crate) fn lower<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    made(target(args)?.to_ascii_lowercase(), budget)
}

pub(crate) fn upper<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    made(target(args)?.to_ascii_uppercase(), budget)
}

pub(crate) fn trim<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    made(target(args)?.trim().to_owned(), budget)
}

fn out_of_range(at: i64) -> Failure {
    Failure::error(format!("index out of range: {at}"))
}

pub(crate) fn char_at<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let (text, at) = (target(args)?, number(args, 1)?.unwrap_or(-1));
    budget.step(text.len() / 16)?;
    let size = text.chars().count();
    let place = usize::try_from(at).ok().filter(|place| *place <= size).ok_or_else(|| out_of_range(at))?;
    Ok(text.chars().nth(place).map(String::from).unwrap_or_default().into())
}

pub(crate) fn substring<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let text = target(args)?;
    let size = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let start = number(args, 1)?.unwrap_or(0);
    let end = number(args, 2)?.unwrap_or(size);
    if start < 0 || start > size {
        return Err(out_of_range(start));
    }
    if end < 0 || end > size {
        return Err(out_of_range(end));
    }
    if start > end {
        return Err(Failure::error(format!("invalid substring range. start: {start}, end: {end}")));
    }
    let place = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
    made(text.chars().skip(place(start)).take(place(end - start)).collect(), budget)
}

/// Where a text begins in another, from a place on.
pub(super) fn index_of<'v>(args: &[Value<'v>]) -> Answer<'v> {
    let (text, part, from) = (target(args)?, text(args, 1)?, number(args, 2)?.unwrap_or(0));
    let size = text.chars().count();
    let skip = usize::try_from(from).map_err(|_| out_of_range(from))?;
    if part.is_empty() {
        return Ok(Value::Int(from));
    }
    if skip > size {
        return Ok(Value::Int(-1));
    }
    let begin = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    let found = text[begin..].find(part).map(|at| skip + text[begin..begin + at].chars().count());
    Ok(Value::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
}

/// Where a text begins in another for the last time, up to a place.
pub(super) fn last_index_of<'v>(args: &[Value<'v>]) -> Answer<'v> {
    let (text, part) = (target(args)?, text(args, 1)?);
    let size = text.chars().count();
    let until = number(args, 2)?.unwrap_or(i64::try_from(size).unwrap_or(i64::MAX));
    let last = usize::try_from(until).map_err(|_| out_of_range(until))?;
    if part.is_empty() {
        return Ok(Value::Int(i64::try_from(last.min(size)).unwrap_or(i64::MAX)));
    }
    let end = text.char_indices().nth(last).map_or(text.len(), |(at, _)| (at + part.len()).min(text.len()));
    let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
    let found = text[..end].rfind(part).map(|at| text[..at].chars().count()).filter(|at| *at <= last);
    Ok(Value::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
}

pub(crate) fn replace<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let (whole, old, new) = (target(args)?, text(args, 1)?, text(args, 2)?);
    let most = match number(args, 3)? {
        None => usize::MAX,
        Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
    };
    // Counted before it is made: a short text can become a long one.
    let times = if old.is_empty() { whole.chars().count() + 1 } else { whole.matches(old).count() };
    let times = times.min(most);
    budget.make(whole.len().saturating_add(times.saturating_mul(new.len())))?;
    Ok(whole.replacen(old, new, times).into())
}

pub(crate) fn split<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let (whole, separator) = (target(args)?, text(args, 1)?);
    let most = match number(args, 2)? {
        None => usize::MAX,
        Some(0) => return Ok(Value::list(Vec::new())),
        Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
    };
    let parts = if separator.is_empty() { whole.len() } else { whole.matches(separator).count() + 1 };
    budget.make(parts.min(most).saturating_mul(size_of::<Value<'_>>() + 32).saturating_add(whole.len()))?;
    let part = |part: &str| Value::String(Text::Own(part.into()));
    let parts: Vec<Value<'v>> = if separator.is_empty() {
        let mut rest = whole;
        let mut parts = Vec::new();
        while let Some(char) = rest.chars().next() {
            if parts.len() + 1 >= most {
                parts.push(part(rest));
                break;
            }
            let (one, after) = rest.split_at(char.len_utf8());
            parts.push(part(one));
            rest = after;
        }
        parts
    } else {
        whole.splitn(most, separator).map(part).collect()
    };
    Ok(Value::list(parts))
}

pub(crate) fn join<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let Some(Value::List(list)) = args.first() else { return Err(Failure::no_overload()) };
    let separator = args.get(1).map_or(Ok(""), |_| text(args, 1))?;
    let mut joined = String::new();
    for (at, item) in list.items().enumerate() {
        let item = item?;
        let part = item.text().ok_or_else(Failure::no_overload)?;
        budget.make(part.len() + separator.len())?;
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(part);
    }
    Ok(joined.into())
}

pub(crate) fn quote<'v>(budget: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let whole = target(args)?;
    budget.make(2 * whole.len() + 2)?;
    let mut quoted = String::from("\"");
    for char in whole.chars() {
        match char {
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    Ok(quoted.into())
}
