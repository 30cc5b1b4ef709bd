//! Shapes: schemas without their words, and a place in one.

use std::collections::HashMap;

use resources::schema::{
    Definitions, INT_OR_STRING, LIST_MAP_KEYS, LIST_TYPE, MAP_TYPE, PATCH_MERGE_KEY, PATCH_STRATEGY,
    PRESERVE_UNKNOWN_FIELDS, REFERENCE,
};
use serde_json::Value;

/// Shapes that refer to each other.
#[derive(Debug)]
pub(crate) struct Shapes {
    all: Vec<Shape>,
    named: HashMap<String, Slot>,
}

#[derive(Debug)]
enum Shape {
    /// Whatever the value is, it is merged as JSON would be: objects field by field, lists as a whole.
    Anything,
    Scalar(Scalar),
    Object {
        fields: HashMap<Box<str>, Slot>,
        /// Of fields that have no name here; `None` where there are none such.
        others: Option<Box<Slot>>,
    },
    List(Box<Slot>),
}

const ANYTHING: usize = 0;

/// What kind of value one without parts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Any,
    Boolean,
    Number,
    Text,
}

/// What a value must be at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Anything,
    Scalar(Scalar),
    Object,
    List,
}

/// A value's shape, and what is special about it at the place where it stands.
#[derive(Clone, Debug)]
struct Slot {
    shape: usize,
    whole: bool,
    list: ListKind,
    strategy: Strategy,
    default: Option<Value>,
    /// It is there, empty, where nobody gave it.
    always: bool,
}

const UNKNOWN: &Slot = &Slot {
    shape: ANYTHING,
    whole: false,
    list: ListKind::Atomic,
    strategy: Strategy::PLAIN,
    default: None,
    always: false,
};

/// How apply takes a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// As one value.
    Atomic,
    /// As values without order, each of them once.
    Set,
    /// As a map from these fields of an item to the item.
    Map(Vec<String>),
}

/// A field of an item that its key is made of.
pub(crate) struct KeyField<'a> {
    pub(crate) name: &'a str,
    /// What it is where the item does not say.
    pub(crate) default: Option<&'a Value>,
}

/// What a strategic merge patch does with a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strategy {
    /// A list is merged item by item, not replaced.
    pub(crate) merge: bool,
    /// The field of an item that its items are matched by; without one they are values.
    pub(crate) key: Option<String>,
}

impl Strategy {
    const PLAIN: Self = Self { merge: false, key: None };
}

/// A place in an object, known by its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    shapes: &'a Shapes,
    slot: &'a Slot,
}

impl Shapes {
    /// The shapes of definitions.
    pub(crate) fn of(definitions: &Definitions) -> Self {
        let mut reader =
            Reader { definitions, shapes: Self { all: vec![Shape::Anything], named: HashMap::new() } };
        for name in definitions.keys() {
            reader.definition(name);
        }
        reader.shapes
    }

    /// Where an object of a definition begins; of one that is unknown, anything.
    pub(crate) fn root(&self, definition: &str) -> Place<'_> {
        Place { shapes: self, slot: self.named.get(definition).unwrap_or(UNKNOWN) }
    }
}

impl<'a> Place<'a> {
    /// A field of an object here.
    pub(crate) fn field(self, name: &str) -> Self {
        let slot = match self.shape() {
            Shape::Object { fields, others } => fields.get(name).or(others.as_deref()).unwrap_or(UNKNOWN),
            _ => UNKNOWN,
        };
        Self { slot, ..self }
    }

    /// Whether a field is one that the kind names, and not one that its user does, as a label is.
    pub(crate) fn names(self, field: &str) -> bool {
        matches!(self.shape(), Shape::Object { fields, .. } if fields.contains_key(field))
    }

    /// Whether an object here may have a field of this name.
    pub(crate) fn may_have(self, field: &str) -> bool {
        match self.shape() {
            Shape::Object { fields, others } => others.is_some() || fields.contains_key(field),
            _ => true,
        }
    }

    /// What a value here must be.
    pub(crate) fn form(self) -> Form {
        match self.shape() {
            Shape::Anything => Form::Anything,
            Shape::Scalar(scalar) => Form::Scalar(*scalar),
            Shape::Object { .. } => Form::Object,
            Shape::List(_) => Form::List,
        }
    }

    /// An item of a list here.
    pub(crate) fn item(self) -> Self {
        let slot = match self.shape() {
            Shape::List(items) => items,
            _ => UNKNOWN,
        };
        Self { slot, ..self }
    }

    /// Whether an object here is taken as one value.
    pub(crate) fn is_whole(self) -> bool {
        self.slot.whole
    }

    /// Whether what is here is there even when nobody gave it, as an empty object or list.
    pub(crate) fn is_always_there(self) -> bool {
        self.slot.always
    }

    /// How apply takes a list here.
    pub(crate) fn list(self) -> &'a ListKind {
        &self.slot.list
    }

    /// The fields that the key of an item here is made of, where this is an item of such a list.
    pub(crate) fn key_fields(self, names: &'a [String]) -> impl Iterator<Item = KeyField<'a>> {
        names.iter().map(move |name| KeyField { name, default: self.field(name).slot.default.as_ref() })
    }

    /// What a strategic merge patch does here.
    pub(crate) fn strategy(self) -> &'a Strategy {
        &self.slot.strategy
    }

    fn shape(self) -> &'a Shape {
        &self.shapes.all[self.slot.shape]
    }
}

struct Reader<'a> {
    definitions: &'a Definitions,
    shapes: Shapes,
}

impl Reader<'_> {
    /// The slot of a definition. One that is being read, since it contains itself, has its place already.
    fn definition(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.shapes.named.get(name) {
            return slot.clone();
        }
        let definitions = self.definitions;
        let Some(schema) = definitions.get(name) else { return UNKNOWN.clone() };
        let shape = self.add(Shape::Anything);
        let slot = Slot { shape, ..special(schema) };
        self.shapes.named.insert(name.to_owned(), slot.clone());
        self.shapes.all[shape] = self.shape(schema);
        slot
    }

    fn slot(&mut self, schema: &Value) -> Slot {
        let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref"));
        let name = reference.and_then(Value::as_str).and_then(|reference| reference.strip_prefix(REFERENCE));
        let own = special(schema);
        if let Some(name) = name {
            let target = self.definition(name);
            return Slot { shape: target.shape, whole: own.whole || target.whole, ..own };
        }
        let shape = match self.shape(schema) {
            Shape::Anything => ANYTHING,
            shape => self.add(shape),
        };
        Slot { shape, ..own }
    }

    fn shape(&mut self, schema: &Value) -> Shape {
        let open = schema.get(PRESERVE_UNKNOWN_FIELDS) == Some(&Value::Bool(true));
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => {
                let fields = schema.get("properties").and_then(Value::as_object);
                let required = schema.get("required").and_then(Value::as_array);
                let is_required =
                    |name: &str| required.is_some_and(|names| names.iter().any(|it| it == name));
                let fields: HashMap<_, _> = fields
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| {
                        let slot = self.slot(schema);
                        let list = matches!(self.shapes.all[slot.shape], Shape::List(_));
                        let always = slot.always || (list && is_required(name));
                        (name.as_str().into(), Slot { always, ..slot })
                    })
                    .collect();
                let others = match schema.get("additionalProperties") {
                    Some(schema @ Value::Object(_)) => Some(Box::new(self.slot(schema))),
                    Some(Value::Bool(true)) => Some(Box::new(UNKNOWN.clone())),
                    _ => open.then(|| Box::new(UNKNOWN.clone())),
                };
                match others {
                    None if fields.is_empty() => Shape::Anything,
                    others => Shape::Object { fields, others },
                }
            }
            Some("array") => {
                let items = schema.get("items").map_or_else(|| UNKNOWN.clone(), |items| self.slot(items));
                Shape::List(Box::new(items))
            }
            Some("string") => Shape::Scalar(Scalar::Text),
            Some("integer" | "number") => Shape::Scalar(Scalar::Number),
            Some("boolean") => Shape::Scalar(Scalar::Boolean),
            Some(_) => Shape::Scalar(Scalar::Any),
            None if schema.get(INT_OR_STRING) == Some(&Value::Bool(true)) => Shape::Scalar(Scalar::Any),
            None => Shape::Anything,
        }
    }

    fn add(&mut self, shape: Shape) -> usize {
        self.shapes.all.push(shape);
        self.shapes.all.len() - 1
    }
}

/// What a schema says of its place beside the shape.
fn special(schema: &Value) -> Slot {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let list = match text(LIST_TYPE) {
        Some("set") => ListKind::Set,
        Some("map") => {
            let keys = schema.get(LIST_MAP_KEYS).and_then(Value::as_array);
            let keys = keys.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
            ListKind::Map(keys.collect())
        }
        _ => ListKind::Atomic,
    };
    let merge = text(PATCH_STRATEGY).is_some_and(|strategy| strategy.split(',').any(|part| part == "merge"));
    let strategy = Strategy { merge, key: text(PATCH_MERGE_KEY).map(str::to_owned) };
    let default = schema.get("default").cloned();
    let always = default.as_ref().is_some_and(Value::is_object);
    Slot { shape: ANYTHING, whole: text(MAP_TYPE) == Some("atomic"), list, strategy, default, always }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_found_through_references_and_around_in_circles() {
        let definitions = json!({
            "tree": {"type": "object", "properties": {
                "name": {"type": "string"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "children": {
                    "type": "array", "items": {"$ref": "#/components/schemas/tree"},
                    LIST_TYPE: "map", LIST_MAP_KEYS: ["name"], PATCH_STRATEGY: "merge,retainKeys", PATCH_MERGE_KEY: "name",
                },
                "leaf": {"allOf": [{"$ref": "#/components/schemas/leaf"}]},
            }},
            "leaf": {"type": "object", "properties": {"port": {"type": "integer", "default": 80}}, MAP_TYPE: "atomic"},
        });
        let Value::Object(definitions) = definitions else { unreachable!() };
        let shapes = Shapes::of(&definitions);
        let root = shapes.root("tree");
        let children = root.field("children").item().field("children");
        assert_eq!(*children.list(), ListKind::Map(vec!["name".into()]));
        assert_eq!(*children.strategy(), Strategy { merge: true, key: Some("name".into()) });
        assert!(children.item().names("leaf") && !children.item().field("labels").names("app"));
        assert!(root.field("leaf").is_whole() && !root.is_whole());
        let names = ["port".to_owned()];
        assert_eq!(root.field("leaf").key_fields(&names).next().unwrap().default, Some(&json!(80)));
        assert_eq!(*root.field("nothing").field("of it").item().list(), ListKind::Atomic);
    }
}
