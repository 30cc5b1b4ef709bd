//! The path to a value while a tree is walked. It costs nothing until it is written, and what is written is bounded: a
//! field's name may be as long as a request's body, and many values may lie below it.

use std::fmt::{self, Write};

/// How many bytes of a path are written.
pub const PATH_BYTES_MAX: usize = 1024;

/// A path, as a chain to the object's root on the stack.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Whole,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// The object itself.
    pub const WHOLE: Path<'static> = Path { parent: None, step: Step::Whole };

    /// A field of the object itself.
    pub(crate) const fn root(field: &'a str) -> Self {
        Self { parent: None, step: Step::Field(field) }
    }

    /// `self.field`
    pub const fn child(&'a self, field: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Field(field) }
    }

    /// `self[index]`
    pub const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// `self[key]`
    pub const fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// Whether this is the object itself.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self.step, Step::Whole)
    }

    /// The value at this path in a tree.
    pub(crate) fn find<'v>(&self, tree: &'v serde_json::Value) -> Option<&'v serde_json::Value> {
        let above = match self.parent {
            Some(parent) => parent.find(tree)?,
            None => tree,
        };
        match self.step {
            Step::Whole => Some(above),
            Step::Field(name) | Step::Key(name) => above.get(name),
            Step::Index(index) => above.get(index),
        }
    }

    fn write(&self, text: &mut PathText) {
        if let Some(parent) = self.parent {
            parent.write(text);
        }
        match self.step {
            Step::Whole => {}
            Step::Field(name) => text.field(name),
            Step::Index(index) => text.index(index),
            Step::Key(key) => text.key(key),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = PathText::new();
        self.write(&mut text);
        f.write_str(&text.finish())
    }
}

/// The text of a path, written step by step; what is beyond [`PATH_BYTES_MAX`] is left out.
pub(crate) struct PathText(Shortened);

impl PathText {
    pub(crate) fn new() -> Self {
        Self(Shortened::new(PATH_BYTES_MAX))
    }

    pub(crate) fn field(&mut self, name: &str) {
        if !self.0.text.is_empty() {
            self.push(".");
        }
        self.push(name);
    }

    pub(crate) fn index(&mut self, index: usize) {
        // One that is full writes no more.
        _ = write!(self.0, "[{index}]");
    }

    pub(crate) fn key(&mut self, key: &str) {
        self.push("[");
        self.push(key);
        self.push("]");
    }

    pub(crate) fn finish(self) -> String {
        self.0.finish()
    }

    fn push(&mut self, text: &str) {
        _ = self.0.write_str(text);
    }
}

/// What something says of itself, cut after `bytes_max`. What follows is not written at all.
pub fn shortened(bytes_max: usize, shown: impl fmt::Display) -> String {
    let mut short = Shortened::new(bytes_max);
    // It fails when it is full, which `finish` tells.
    _ = write!(short, "{shown}");
    short.finish()
}

/// A text that takes so much and no more.
struct Shortened {
    bytes_max: usize,
    text: String,
    full: bool,
}

impl Shortened {
    fn new(bytes_max: usize) -> Self {
        Self { bytes_max, text: String::new(), full: false }
    }

    fn finish(mut self) -> String {
        if self.full {
            self.text.push('…');
        }
        self.text
    }
}

impl Write for Shortened {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        let room = self.bytes_max - self.text.len();
        self.full = more.len() > room;
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
        if self.full { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_written_as_far_as_it_is_short() {
        let spec = Path::WHOLE.child("spec");
        let list = spec.child("list");
        let item = list.index(3);
        assert_eq!(item.key("k").to_string(), "spec.list[3][k]");
        assert_eq!(Path::WHOLE.to_string(), "");
        assert_eq!(Path::root("a").to_string(), "a");
        let long = "é".repeat(1 << 20);
        let path = spec.child(&long);
        let text = path.child("below").to_string();
        assert!(text.starts_with("spec.éé") && text.ends_with("é…"), "{text}");
        assert!(text.len() <= PATH_BYTES_MAX + "…".len(), "{}", text.len());
        assert_eq!(shortened(9, json!({"a": 1})), r#"{"a":1}"#);
        assert_eq!(shortened(4, json!(["é", 1])), "[\"é…");
    }

    #[test]
    fn a_path_finds_its_value() {
        let tree = json!({"a": [{"b.c": 1}]});
        let list = Path::WHOLE.child("a");
        let item = list.index(0);
        assert_eq!(item.child("b.c").find(&tree), Some(&json!(1)));
        assert_eq!(item.child("b").find(&tree), None);
        assert_eq!(Path::WHOLE.find(&tree), Some(&tree));
    }
}
