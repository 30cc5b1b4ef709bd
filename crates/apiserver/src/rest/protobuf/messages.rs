//! The messages that are read, by a table that client-go's own types write (`xtask/client-go/messages.go`).

use std::{collections::HashMap, sync::LazyLock};

/// A line for each kind, `apiVersion kind = message`; then one for each message, `message:` and for each of its fields
/// number, name in JSON and type. A name `-` is of a message whose fields are those of the one that it is in; a type that
/// ends in `?` is left out of JSON where it is empty.
pub(super) const TEXT: &str = include_str!("messages.txt");

pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

/// The kind that is sent under every group's version.
const OPTIONS: &str = "DeleteOptions";

pub(super) struct Table {
    /// What a body begins with.
    pub(super) about: Message,
    kinds: HashMap<(&'static str, &'static str), usize>,
    messages: Vec<Message>,
}

/// The fields of a message, by number.
pub(super) struct Message(Vec<Member>);

pub(super) struct Member {
    number: u64,
    /// In JSON; empty where the field's fields are the message's own.
    pub(super) name: String,
    pub(super) kind: Type,
    /// Whether what is empty is left out of JSON.
    pub(super) omit_empty: bool,
}

/// What a field holds. What may come several times is said by `List`.
#[derive(Debug)]
pub(super) enum Type {
    Text,
    Bytes,
    Integer,
    Float,
    Bool,
    /// Seconds and nanoseconds since 1970, of which the seconds count; empty for none.
    Time,
    /// Likewise, down to microseconds.
    MicroTime,
    Quantity,
    IntOrString,
    /// JSON text in a message of one field.
    Json,
    /// The place of a message in the table.
    Message(usize),
    /// Likewise, of one that JSON writes as the last of its fields that is there.
    OneOf(usize),
    List(Box<Type>),
    /// From texts to these.
    Map(Box<Type>),
    /// A message whose only field stands for it.
    Wrapped(Box<Type>),
}

impl Table {
    fn read(text: &'static str) -> Self {
        let heads = text.lines().filter_map(|line| line.split_once(':').map(|(name, _)| name));
        let places: HashMap<&str, usize> = heads.enumerate().map(|(place, name)| (name, place)).collect();
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let messages = lines.map(|(_, fields)| Message::read(fields, &places)).collect();
        let kinds = text.lines().filter_map(|line| {
            let (kind, message) = line.split_once(" = ")?;
            Some((kind.split_once(' ')?, places[message]))
        });
        let about = Message::read("1 apiVersion text? 2 kind text?", &places);
        Self { about, kinds: kinds.collect(), messages }
    }

    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<&Message> {
        let api_version = if kind == OPTIONS { "v1" } else { api_version };
        self.kinds.get(&(api_version, kind)).map(|place| self.message(*place))
    }

    pub(super) fn message(&self, place: usize) -> &Message {
        &self.messages[place]
    }
}

impl Message {
    fn read(fields: &str, places: &HashMap<&str, usize>) -> Self {
        let words: Vec<_> = fields.split_whitespace().collect();
        let members = words.chunks(3).map(|field| {
            let [number, name, kind] = field else { panic!("{fields}: not three words a field") };
            let (kind, omit_empty) = kind.strip_suffix('?').map_or((*kind, false), |kind| (kind, true));
            Member {
                number: number.parse().expect("each field of the table begins with its number"),
                name: if *name == "-" { String::new() } else { (*name).to_owned() },
                kind: Type::read(kind, places),
                omit_empty,
            }
        });
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|member| member.number);
        Self(members)
    }

    pub(super) fn member(&self, number: u64) -> Option<&Member> {
        self.0.binary_search_by_key(&number, |member| member.number).ok().map(|at| &self.0[at])
    }

    /// In the order of their numbers.
    pub(super) fn members(&self) -> &[Member] {
        &self.0
    }
}

impl Type {
    fn read(text: &str, places: &HashMap<&str, usize>) -> Self {
        let of = |rest: &str| Box::new(Self::read(rest, places));
        match text.split_at_checked(2) {
            Some(("[]", item)) => return Self::List(of(item)),
            Some(("{}", value)) => return Self::Map(of(value)),
            Some(("()", item)) => return Self::Wrapped(of(item)),
            _ => {}
        }
        match text {
            "text" => Self::Text,
            "bytes" => Self::Bytes,
            "int" => Self::Integer,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "time" => Self::Time,
            "microtime" => Self::MicroTime,
            "quantity" => Self::Quantity,
            "intorstring" => Self::IntOrString,
            "json" => Self::Json,
            message => match message.strip_prefix('|') {
                Some(message) => Self::OneOf(places[message]),
                None => Self::Message(places[message]),
            },
        }
    }
}
