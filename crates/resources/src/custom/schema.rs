//! A structural schema: what a CustomResourceDefinition says of its objects, read once and ready to be walked.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::{
    patterns::Patterns,
    types::{JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool},
};

/// What may be at one place of an object.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub(super) form: Option<Form>,
    pub(super) nullable: bool,
    pub(super) int_or_string: bool,
    /// Fields that the schema does not name are kept.
    pub(super) preserves: bool,
    /// The value is an object of some kind, with its `apiVersion`, `kind` and `metadata`.
    pub(super) embedded: bool,
    pub(super) properties: BTreeMap<String, Schema>,
    /// Of fields that have no name here.
    pub(super) others: Others,
    pub(super) items: Option<Box<Schema>>,
    pub(super) list: List,
    pub(super) default: Option<DefaultValue>,
    pub(super) checks: Option<Box<Checks>>,
}

/// What a value is that nobody has given.
#[derive(Clone, Debug)]
pub(super) struct DefaultValue {
    pub(super) value: Value,
    /// How long it is as JSON.
    pub(super) len: usize,
}

impl DefaultValue {
    fn new(value: Value) -> Self {
        let len = value.to_string().len();
        Self { value, len }
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Array,
    Boolean,
    Integer,
    Number,
    Object,
    String,
}

/// What a schema says of the fields that it does not name.
#[derive(Clone, Debug, Default)]
pub(super) enum Others {
    /// Nothing: there are none.
    #[default]
    None,
    /// They may be anything.
    Any,
    Schema(Box<Schema>),
}

/// Which items of a list may not come twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum List {
    #[default]
    Atomic,
    Set,
    /// Those alike in these fields.
    Map(Vec<String>),
}

/// What a value must be beyond its type.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    pub(super) format: Option<String>,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_maximum: bool,
    pub(super) minimum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) max_length: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) pattern: Option<Regex>,
    pub(super) max_items: Option<i64>,
    pub(super) min_items: Option<i64>,
    pub(super) max_properties: Option<i64>,
    pub(super) min_properties: Option<i64>,
    pub(super) required: Vec<String>,
    pub(super) one_of_values: Vec<Value>,
    pub(super) all_of: Vec<Schema>,
    pub(super) any_of: Vec<Schema>,
    pub(super) one_of: Vec<Schema>,
    pub(super) not: Option<Schema>,
}

impl Schema {
    /// The schema that a definition was given; admission has seen that it is one. `patterns`: those of the definition.
    pub fn new(props: &JSONSchemaProps, patterns: &mut Patterns) -> Self {
        let on = |flag: Option<bool>| flag == Some(true);
        let list = match props.x_kubernetes_list_type.as_deref() {
            Some("set") => List::Set,
            Some("map") => List::Map(props.x_kubernetes_list_map_keys.clone().unwrap_or_default()),
            _ => List::Atomic,
        };
        let properties = props.properties.iter().flatten();
        let properties =
            properties.map(|(name, schema)| (name.clone(), Self::new(schema, patterns))).collect();
        Self {
            form: props.type_.as_deref().and_then(Form::of),
            nullable: on(props.nullable),
            int_or_string: on(props.x_kubernetes_int_or_string),
            preserves: on(props.x_kubernetes_preserve_unknown_fields),
            embedded: on(props.x_kubernetes_embedded_resource),
            properties,
            others: match &props.additional_properties {
                Some(JSONSchemaPropsOrBool::Schema(schema)) => {
                    Others::Schema(Box::new(Self::new(schema, patterns)))
                }
                Some(JSONSchemaPropsOrBool::Bool(true)) => Others::Any,
                Some(JSONSchemaPropsOrBool::Bool(false)) | None => Others::None,
            },
            items: match &props.items {
                Some(JSONSchemaPropsOrArray::Schema(schema)) => Some(Box::new(Self::new(schema, patterns))),
                _ => None,
            },
            list,
            default: props.default.as_ref().map(|default| DefaultValue::new(default.0.clone())),
            checks: Checks::new(props, patterns).map(Box::new),
        }
    }

    /// The schema of a field that has a name here.
    pub(crate) fn property(&self, name: &str) -> Option<&Self> {
        self.properties.get(name)
    }

    /// The schema of fields that have no name here.
    pub(crate) fn other(&self) -> Option<&Self> {
        match &self.others {
            Others::Schema(schema) => Some(schema),
            Others::None | Others::Any => None,
        }
    }

    /// The schema of a list's items.
    pub(crate) fn item(&self) -> Option<&Self> {
        self.items.as_deref()
    }

    /// Of a field of an object here; `None` for one that it has not.
    pub(super) fn field(&self, name: &str) -> Option<Field<'_>> {
        match (self.properties.get(name), &self.others) {
            (Some(schema), _) => Some(Field::Schema(schema)),
            (None, Others::Schema(schema)) => Some(Field::Schema(schema)),
            (None, Others::Any) => Some(Field::Any),
            (None, Others::None) => None,
        }
    }
}

/// What is known of a field that an object may have.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    Schema(&'a Schema),
    /// That it is there, and nothing of what is in it.
    Any,
}

impl Form {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "array" => Self::Array,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "object" => Self::Object,
            "string" => Self::String,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }
}

impl Checks {
    /// `None` where there is nothing to check.
    fn new(props: &JSONSchemaProps, patterns: &mut Patterns) -> Option<Self> {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let pattern = some(&props.pattern).and_then(|pattern| patterns.get(&pattern).ok());
        let not = props.not.as_deref().map(|schema| Schema::new(schema, patterns));
        let mut all = |schemas: &Option<Vec<JSONSchemaProps>>| -> Vec<Schema> {
            schemas.iter().flatten().map(|schema| Schema::new(schema, patterns)).collect()
        };
        let checks = Self {
            format: some(&props.format),
            maximum: props.maximum,
            exclusive_maximum: props.exclusive_maximum == Some(true),
            minimum: props.minimum,
            exclusive_minimum: props.exclusive_minimum == Some(true),
            multiple_of: props.multiple_of,
            max_length: props.max_length,
            min_length: props.min_length,
            pattern,
            max_items: props.max_items,
            min_items: props.min_items,
            max_properties: props.max_properties,
            min_properties: props.min_properties,
            required: props.required.clone().unwrap_or_default(),
            one_of_values: props.enum_.iter().flatten().map(|value| value.0.clone()).collect(),
            all_of: all(&props.all_of),
            any_of: all(&props.any_of),
            one_of: all(&props.one_of),
            not,
        };
        let numbers = [checks.maximum, checks.minimum, checks.multiple_of];
        let sizes = [
            checks.max_length,
            checks.min_length,
            checks.max_items,
            checks.min_items,
            checks.max_properties,
            checks.min_properties,
        ];
        let any = checks.format.is_some()
            || checks.pattern.is_some()
            || checks.not.is_some()
            || numbers.iter().any(Option::is_some)
            || sizes.iter().any(Option::is_some)
            || !checks.required.is_empty()
            || !checks.one_of_values.is_empty()
            || [&checks.all_of, &checks.any_of, &checks.one_of].iter().any(|schemas| !schemas.is_empty());
        any.then_some(checks)
    }
}
