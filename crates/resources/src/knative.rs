//! How Knative's own kinds are written: `metadata`, `spec` and `status`, with the traits that core kinds have.

/// Declares a kind: its struct, its place in the API and its JSON form.
macro_rules! knative_kind {
    (
        $(#[doc = $doc:literal])*
        $name:ident($group:literal, $version:literal, $plural:literal, $scope:ident) { spec: $spec:ty, status: $status:ty }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(default)]
        pub struct $name {
            /// Name, labels, owners, versions.
            pub metadata: $crate::meta::ObjectMeta,
            /// What is wanted.
            pub spec: $spec,
            /// What is.
            pub status: $status,
        }

        impl $name {
            /// An object with a name and a spec, and nothing else.
            pub fn new(metadata: $crate::meta::ObjectMeta, spec: $spec) -> Self {
                Self { metadata, spec, status: Default::default() }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let mut object = serializer.serialize_struct($plural, 5)?;
                object.serialize_field("apiVersion", concat!($group, "/", $version))?;
                object.serialize_field("kind", stringify!($name))?;
                object.serialize_field("metadata", &self.metadata)?;
                object.serialize_field("spec", &self.spec)?;
                object.serialize_field("status", &self.status)?;
                object.end()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $crate::schema::definition_name($group, $version, stringify!($name)).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::object(
                    concat!($($doc),*).trim(),
                    generator.subschema_for::<$crate::meta::ObjectMeta>(),
                    generator.subschema_for::<$spec>(),
                    generator.subschema_for::<$status>(),
                )
            }
        }

        impl k8s_openapi::Resource for $name {
            const API_VERSION: &'static str = concat!($group, "/", $version);
            const GROUP: &'static str = $group;
            const KIND: &'static str = stringify!($name);
            const VERSION: &'static str = $version;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = k8s_openapi::$scope;
        }

        impl k8s_openapi::Metadata for $name {
            type Ty = $crate::meta::ObjectMeta;

            fn metadata(&self) -> &Self::Ty {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut Self::Ty {
                &mut self.metadata
            }
        }
    };
}

pub(crate) use knative_kind;
