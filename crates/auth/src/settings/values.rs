//! Values of settings as they are kept: those alone that somebody gave, each where its key says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Values that somebody gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SettingValues(Map<String, Value>);

impl SettingValues {
    /// Those that a value has as its members.
    pub(super) fn of(members: &impl Serialize) -> Self {
        match serde_json::to_value(members) {
            Ok(Value::Object(members)) => Self(members),
            _ => Self::default(),
        }
    }

    /// The value of a key, if somebody gave one.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        let mut parts = key.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |at, part| at.get(part)).filter(|value| !value.is_null())
    }

    /// Gives a key a value, or takes it away.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        put(&mut self.0, key, value);
    }

    /// All of it, to be read as a type.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

fn put(members: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None if value.is_null() => {
            members.remove(key);
        }
        None => {
            members.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let within = members.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !within.is_object() {
                *within = Value::Object(Map::new());
            }
            let Some(within) = within.as_object_mut() else { return };
            put(within, rest, value);
            if within.is_empty() {
                members.remove(first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_stands_where_its_key_says_and_leaves_nothing_when_it_goes() {
        let mut values = SettingValues::default();
        values.set("a", json!(true));
        values.set("b.c", json!(7));
        values.set("b.d", json!("x"));
        assert_eq!(values.clone().into_value(), json!({ "a": true, "b": { "c": 7, "d": "x" } }));
        assert_eq!((values.get("b.c"), values.get("b.e"), values.get("a.x")), (Some(&json!(7)), None, None));
        values.set("b.c", Value::Null);
        values.set("b.d", Value::Null);
        values.set("z.z", Value::Null);
        assert_eq!(values.clone().into_value(), json!({ "a": true }));
        // what was kept as null was given by nobody
        let values: SettingValues = serde_json::from_value(json!({ "b": { "c": null } })).unwrap();
        assert_eq!(values.get("b.c"), None);
    }
}
