//! `NAME=VALUE` to set and `NAME-` to unset.

/// What one argument asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit<'a> {
    Set(&'a str, &'a str),
    Unset(&'a str),
}

/// `NAME=VALUE` or `NAME-`; nothing else.
pub(super) fn edit(text: &str) -> Result<Edit<'_>, String> {
    match (text.split_once('='), text.strip_suffix('-')) {
        (Some((name, value)), _) => Ok(Edit::Set(name, value)),
        (None, Some(name)) => Ok(Edit::Unset(name)),
        (None, None) => {
            Err(format!("argument requires a value that contains the \"=\" character; got {text:?}"))
        }
    }
}

/// As [`edit`], for things whose value may be empty: `NAME` alone sets an empty one. A name may be given once.
pub(super) fn edits_allowing_singles(texts: &[String]) -> Result<Vec<Edit<'_>>, String> {
    let mut edits: Vec<Edit<'_>> = Vec::new();
    for text in texts {
        let edit = match edit(text) {
            Ok(Edit::Set("", _)) => return Err("The key is empty".into()),
            Ok(edit) => edit,
            Err(_) => Edit::Set(text, ""),
        };
        if let Edit::Set(wanted, _) = edit
            && edits.iter().any(|there| matches!(there, Edit::Set(name, _) if *name == wanted))
        {
            return Err(format!("The key {wanted:?} has been duplicate in {texts:?}"));
        }
        edits.push(edit);
    }
    Ok(edits)
}
