//! From laid layers to typed values, noting every fault on the way.

use std::collections::BTreeMap;
use std::str::FromStr;

use figment::Figment;
use figment::value::Value;

use super::fault::{ConfigFault, Warning};
use super::keys::{KEYS, Key};
use super::layers::{Layer, Layers};
use super::setting::{Setting, Shape};

/// Takes one value after the other.
pub(super) struct Reader {
    figment: Figment,
    texts: BTreeMap<&'static str, String>,
    pub(super) faults: Vec<ConfigFault>,
    pub(super) warnings: Vec<Warning>,
}

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        Self { figment: layers.figment, texts: BTreeMap::new(), faults: layers.faults, warnings: layers.warnings }
    }

    /// The value of a key, or a fault that is noted.
    pub(super) fn take<T: Setting>(&mut self, name: &str) -> Option<T> {
        let key = KEYS.iter().find(|key| key.name == name)?;
        let Ok(value) = self.figment.find_value(name) else {
            return T::absent();
        };
        let (layer, origin) = self.origin(name);
        let text = self.text_of(key, &value, layer);
        let parsed = text.as_deref().ok_or_else(|| T::expects()).and_then(|text| {
            let parsed = T::parse(text)?;
            let outside =
                key.range.as_ref().is_some_and(|range| !usize::from_str(text).is_ok_and(|number| range.contains(&number)));
            if outside { Err(T::expects()) } else { Ok(parsed) }
        });
        match parsed {
            Ok(parsed) => {
                self.texts.extend(text.map(|text| (key.name, text)));
                Some(parsed)
            }
            Err(expected) => {
                let range =
                    key.range.as_ref().map(|range| format!(" from {} to {}", range.start(), range.end())).unwrap_or_default();
                self.fault(name, origin, format!("must be {expected}{range}"));
                // so that a key that follows from this one is no fault of its own
                let default = key.default.map(|default| self.filled_in(default));
                self.texts.extend(default.map(|default| (key.name, default)));
                None
            }
        }
    }

    /// Which layer the value of a key came from, and where in it.
    pub(super) fn origin(&self, name: &str) -> (Layer, String) {
        Layer::of(self.figment.find_metadata(name))
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, key: &str, origin: String, message: impl Into<String>) {
        self.faults.push(ConfigFault { key: key.to_owned(), origin, message: message.into() });
    }

    /// The value as text; none if it is of a wrong type.
    fn text_of(&self, key: &Key, value: &Value, layer: Layer) -> Option<String> {
        match (layer, key.shape) {
            (Layer::Default, _) => value.as_str().map(|default| self.filled_in(default)),
            (Layer::Environment | Layer::Flag, _) | (Layer::File, Shape::Text) => value.as_str().map(str::to_owned),
            (Layer::File, Shape::Number) => match value {
                Value::Num(_, number) => {
                    number.to_i128().or_else(|| i128::try_from(number.to_u128()?).ok()).map(|number| number.to_string())
                }
                _ => None,
            },
            (Layer::File, Shape::Boolean) => match value {
                Value::Bool(_, is_so) => Some(is_so.to_string()),
                _ => None,
            },
            (Layer::File, Shape::List) => {
                let entries: Vec<&str> = value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
                Some(entries.join(","))
            }
        }
    }

    /// A default with the values of other keys in it.
    fn filled_in(&self, default: &str) -> String {
        let is_url = default.starts_with("sqlite:") || default.starts_with("file:");
        let mut text = default.to_owned();
        for (name, value) in &self.texts {
            let value = value.trim_end_matches('/');
            // in an address these stand for something else
            let value = if is_url { value.replace('%', "%25").replace('?', "%3F") } else { value.to_owned() };
            text = text.replace(&format!("<{name}>"), &value);
        }
        text
    }
}
