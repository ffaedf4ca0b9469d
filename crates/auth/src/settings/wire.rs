//! Settings on the wire. What a change takes is described by the declarations themselves, so that the document says of each setting what it
//! may be, and nothing else is let in.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::{ArrayBuilder, KnownFormat, Object, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use validator::{Validate, ValidationErrors};

use super::effective;
use super::registry::{SETTINGS, Setting, SettingKind, SettingLevel, Takes};
use super::values::SettingValues;

/// Keys of roles that a setting names at most.
const MOST_ROLES: usize = 100;

store::text_enum! {
    /// Where the value of a setting comes from.
    pub enum SettingSource {
        /// The workspace gave it.
        Workspace = "workspace",
        /// The installation gave it.
        Installation = "installation",
        /// Nobody gave one.
        Default = "default",
    }
}

/// A setting, as it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingView {
    /// Its key.
    pub key: String,
    /// What it is for.
    pub description: String,
    /// What its values are.
    pub kind: SettingKind,
    /// Who gives it its value.
    pub level: SettingLevel,
    /// What it is.
    #[schema(value_type = Value)]
    pub value: Value,
    /// What it is where nobody says anything.
    #[schema(value_type = Value)]
    pub default: Value,
    /// Where its value comes from.
    pub source: SettingSource,
    /// The least that it may be, of a number.
    pub minimum: Option<i64>,
    /// The most that it may be, of a number.
    pub maximum: Option<i64>,
    /// The words that there are, where it is made of some that are always the same.
    pub options: Option<Vec<String>>,
}

/// Settings.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingList {
    /// They, in the order of their declaration.
    pub data: Vec<SettingView>,
    /// Counts the changes of what gives them; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl SettingView {
    fn of(setting: &Setting, own: Option<&SettingValues>, installation: &SettingValues) -> Self {
        let (value, source) = effective(setting, own, installation);
        let (minimum, maximum) = match setting.takes {
            Takes::Integer(minimum, maximum) => (Some(minimum), Some(maximum)),
            _ => (None, None),
        };
        let options = match setting.takes {
            Takes::Words(words) => Some(words.iter().map(|word| (*word).to_owned()).collect()),
            _ => None,
        };
        Self {
            key: setting.key.to_owned(),
            description: setting.description.to_owned(),
            kind: setting.kind(),
            level: setting.level,
            value,
            default: setting.default(),
            source,
            minimum,
            maximum,
            options,
        }
    }
}

impl SettingList {
    /// All of them as they are in a workspace.
    pub(super) fn in_workspace(own: &SettingValues, installation: &SettingValues, version: i64) -> Self {
        Self { data: SETTINGS.iter().map(|setting| SettingView::of(setting, Some(own), installation)).collect(), version }
    }

    /// Those to which the installation gives a value.
    pub(super) fn of_installation(installation: &SettingValues, version: i64) -> Self {
        let own = SETTINGS.iter().filter(|setting| setting.is_of_installation());
        Self { data: own.map(|setting| SettingView::of(setting, None, installation)).collect(), version }
    }
}

/// The body of `PATCH /v1/settings`: values by key; null goes back to what holds where the workspace says nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct SettingsPatch(pub(super) Map<String, Value>);

/// The body of `PATCH /v1/installation/settings`: values by key; null goes back to the default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct InstallationSettingsPatch(pub(super) Map<String, Value>);

macro_rules! described {
    ($name:ident, $of:path, $description:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                schema_of($of, $description)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }

        impl Validate for $name {
            /// Its schema says all there is to say.
            fn validate(&self) -> Result<(), ValidationErrors> {
                Ok(())
            }
        }
    };
}

described!(
    SettingsPatch,
    Setting::is_of_workspaces,
    "Values by key; null goes back to what holds where the workspace says nothing. What is left out stays."
);
described!(
    InstallationSettingsPatch,
    Setting::is_of_installation,
    "Values by key; null goes back to the default. What is left out stays."
);

fn schema_of(is_in: fn(&Setting) -> bool, description: &str) -> RefOr<Schema> {
    let mut patch = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    for setting in SETTINGS.iter().filter(|setting| is_in(setting)) {
        patch = patch.property(setting.key, value_of(setting));
    }
    Schema::Object(patch.build()).into()
}

/// A type, or null.
fn or_null(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

fn value_of(setting: &Setting) -> Schema {
    let value = ObjectBuilder::new().description(Some(setting.description));
    let words = |item: Object, most: usize| {
        let list = ArrayBuilder::new().schema_type(or_null(Type::Array)).items(item).max_items(Some(most));
        Schema::Array(list.unique_items(true).description(Some(setting.description)).build())
    };
    match setting.takes {
        Takes::Boolean => Schema::Object(value.schema_type(or_null(Type::Boolean)).build()),
        Takes::Integer(minimum, maximum) => {
            let number = value.schema_type(or_null(Type::Integer)).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
            Schema::Object(number.minimum(Some(minimum)).maximum(Some(maximum)).build())
        }
        Takes::Text(most, format, pattern) => {
            let text = value.schema_type(or_null(Type::String)).min_length(Some(1)).max_length(Some(most)).pattern(pattern);
            Schema::Object(text.format(format.map(|format| SchemaFormat::Custom(format.to_owned()))).build())
        }
        Takes::Words(options) => {
            let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(options.iter().map(|word| json!(word))));
            words(word.build(), options.len())
        }
        Takes::Roles => {
            words(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(60)).build(), MOST_ROLES)
        }
    }
}
