//! The settings there are. To add one: a member of [`WorkspaceSettings`](super::WorkspaceSettings), whose value by default is the default, and
//! a row of [`SETTINGS`]; a test holds the one against the other.

use std::sync::LazyLock;

use serde_json::Value;

use super::WorkspaceSettings;
use super::values::SettingValues;
use crate::workspaces::FileKind;

store::text_enum! {
    /// Who gives a setting its value.
    pub enum SettingLevel {
        /// Each workspace for itself.
        Workspace = "workspace",
        /// The installation for all workspaces.
        Installation = "installation",
        /// The workspace, and the installation for those that say nothing.
        Both = "both",
    }
}

store::text_enum! {
    /// What the values of a setting are.
    pub enum SettingKind {
        /// `true` or `false`.
        Boolean = "boolean",
        /// A whole number; null for none.
        Integer = "integer",
        /// A text; null for none.
        Text = "text",
        /// Several words, in any order.
        Words = "words",
    }
}

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// `true` or `false`.
    Boolean,
    /// A whole number from the one to the other.
    Integer(i64, i64),
    /// A text of so many characters at most, of a format and a pattern where there are such.
    Text(usize, Option<&'static str>, Option<&'static str>),
    /// Several of these words.
    Words(&'static [&'static str]),
    /// The keys of roles: of those that there are in the workspace, or of those that are the same everywhere.
    Roles,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key: where it stands among the values, with points between.
    pub key: &'static str,
    /// Who gives it its value.
    pub level: SettingLevel,
    /// What it takes.
    pub takes: Takes,
    /// What it is for.
    pub description: &'static str,
}

const fn setting(key: &'static str, level: SettingLevel, takes: Takes, description: &'static str) -> Setting {
    Setting { key, level, takes, description }
}

use SettingLevel::{Both, Workspace};

/// All of them.
pub static SETTINGS: &[Setting] = &[
    setting(
        "require_if_match",
        Both,
        Takes::Boolean,
        "Whether a change or deletion of a record must name by If-Match the state that it is meant for.",
    ),
    setting("file_kinds", Both, Takes::Words(FileKind::TEXTS), "The kinds of file that are taken."),
    setting("second_factor_roles", Both, Takes::Roles, "The keys of the roles whose members must have a second factor."),
    setting(
        "mail.accent_color",
        Workspace,
        Takes::Text(7, None, Some("^#[0-9a-fA-F]{6}$")),
        "The colour of the line on top of mail, as #rrggbb.",
    ),
    setting("mail.tagline", Workspace, Takes::Text(200, None, None), "A sentence under the name in mail."),
    setting("mail.reply_to", Workspace, Takes::Text(254, Some("email"), None), "Where answers to mail go."),
    setting(
        "phones.default_country",
        Both,
        Takes::Text(2, None, Some("^[A-Z]{2}$")),
        "The country of phone numbers without a country code, where the record has no address: two capital letters (ISO 3166-1).",
    ),
    setting(
        "duplicates.on_create",
        Both,
        Takes::Text(5, None, Some("^(off|warn|block)$")),
        "What is done where a client is made that may be there already: `off`, nobody looks; `warn`, it is made, and the answer says which \
         ones it may be; `block`, it is refused unless the request says that it is none of those.",
    ),
    setting("tokens.max_days", Both, Takes::Integer(1, 3650), "The longest life of a new API token, in days."),
    setting(
        "tokens.require_networks",
        Both,
        Takes::Boolean,
        "Whether a new API token must name the networks that it is used from.",
    ),
];

/// What settings are where nobody says anything.
static DEFAULTS: LazyLock<SettingValues> = LazyLock::new(|| SettingValues::of(&WorkspaceSettings::default()));

impl Setting {
    /// The setting of a key.
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// What it is where nobody says anything.
    pub fn default(&self) -> Value {
        DEFAULTS.get(self.key).cloned().unwrap_or_default()
    }

    /// Whether a workspace may give it a value.
    pub fn is_of_workspaces(&self) -> bool {
        self.level != SettingLevel::Installation
    }

    /// Whether the installation may give it a value.
    pub fn is_of_installation(&self) -> bool {
        self.level != SettingLevel::Workspace
    }

    /// A value that fits its schema, as it is kept; none where it is of another kind.
    pub(super) fn read(&self, value: Value) -> Option<Value> {
        let value = match (self.takes, value.as_f64()) {
            // JSON knows one kind of number, and 30.0 is a whole one to a schema
            (Takes::Integer(..), Some(number)) if number.fract() == 0.0 => {
                format!("{number:.0}").parse::<i64>().map_or(value, Value::from)
            }
            _ => value,
        };
        (value.is_null() || self.fits(&value)).then_some(value)
    }

    /// Whether a value is of its kind. One that is kept and is not, as another version may have left it, counts as nothing: what everybody's
    /// requests depend on must always be there.
    pub(super) fn fits(&self, value: &Value) -> bool {
        let are_words = |is_one: &dyn Fn(&str) -> bool| {
            value.as_array().is_some_and(|list| list.iter().all(|word| word.as_str().is_some_and(is_one)))
        };
        match self.takes {
            Takes::Boolean => value.is_boolean(),
            Takes::Integer(..) => value.is_i64(),
            Takes::Text(..) => value.is_string(),
            Takes::Words(words) => are_words(&|word| words.contains(&word)),
            Takes::Roles => are_words(&|_| true),
        }
    }

    /// What its values are.
    pub fn kind(&self) -> SettingKind {
        match self.takes {
            Takes::Boolean => SettingKind::Boolean,
            Takes::Integer(..) => SettingKind::Integer,
            Takes::Text(..) => SettingKind::Text,
            Takes::Words(_) | Takes::Roles => SettingKind::Words,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Map;

    use super::*;

    /// The keys of everything that has a value of its own.
    fn leaves(members: &Map<String, Value>, before: &str, found: &mut BTreeSet<String>) {
        for (name, value) in members {
            let key = format!("{before}{name}");
            match value {
                Value::Object(members) => leaves(members, &format!("{key}."), found),
                _ => {
                    found.insert(key);
                }
            }
        }
    }

    #[test]
    fn every_member_of_the_settings_is_declared_once_and_nothing_else_is() {
        let defaults = serde_json::to_value(WorkspaceSettings::default()).unwrap();
        let mut there = BTreeSet::new();
        leaves(defaults.as_object().unwrap(), "", &mut there);
        let declared: Vec<String> = SETTINGS.iter().map(|setting| setting.key.to_owned()).collect();
        assert_eq!(declared.iter().cloned().collect::<BTreeSet<_>>(), there);
        assert_eq!(declared.len(), there.len(), "a key is declared twice");
    }

    #[test]
    fn a_value_of_another_kind_is_none_and_a_whole_number_is_one_however_it_is_written() {
        let read = |key: &str, value: Value| Setting::find(key).unwrap().read(value);
        assert_eq!(read("tokens.max_days", serde_json::json!(30.0)), Some(serde_json::json!(30)));
        assert_eq!(read("tokens.max_days", Value::Null), Some(Value::Null));
        for (key, value) in [
            ("tokens.max_days", serde_json::json!(30.5)),
            ("tokens.max_days", serde_json::json!("30")),
            ("require_if_match", serde_json::json!(1)),
            ("file_kinds", serde_json::json!(["pdf", "exe"])),
            ("second_factor_roles", serde_json::json!([7])),
            ("mail.tagline", serde_json::json!({})),
        ] {
            assert_eq!(read(key, value.clone()), None, "{key}: {value}");
        }
    }

    #[test]
    fn every_default_is_of_its_kind() {
        for setting in SETTINGS {
            let default = setting.default();
            let fits = match setting.takes {
                Takes::Boolean => default.is_boolean(),
                Takes::Integer(least, most) => {
                    default.is_null() || default.as_i64().is_some_and(|number| (least..=most).contains(&number))
                }
                Takes::Text(most, ..) => default.is_null() || default.as_str().is_some_and(|text| text.chars().count() <= most),
                Takes::Words(words) => default.as_array().unwrap().iter().all(|word| words.contains(&word.as_str().unwrap())),
                Takes::Roles => default == serde_json::json!([]),
            };
            assert!(fits, "{}: {default}", setting.key);
        }
    }
}
