//! The layers, one over the other: defaults, file, environment, flags.

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::fault::{ConfigFault, Warning};
use super::keys::{KEYS, Key};
use super::source::{CONFIG_ENV, Sources};

/// Which layer a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Default,
    File,
    Environment,
    Flag,
}

impl Layer {
    const ALL: [Self; 4] = [Self::Default, Self::File, Self::Environment, Self::Flag];

    fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }

    /// The layer and the place within it that a value came from.
    pub(super) fn of(metadata: Option<&Metadata>) -> (Self, String) {
        let layer = Self::ALL.into_iter().find(|layer| metadata.is_some_and(|metadata| metadata.name == layer.name()));
        let layer = layer.unwrap_or(Self::Default);
        let place = metadata.and_then(|metadata| metadata.source.as_ref()).and_then(|source| source.custom());
        let origin = match (layer, place) {
            (Self::File, Some(file)) => file.to_owned(),
            (_, Some(place)) => format!("{} {place}", layer.name()),
            (_, None) => layer.name().to_owned(),
        };
        (layer, origin)
    }
}

/// One value of a layer, with where it came from.
struct Entry {
    key: &'static str,
    value: Value,
    layer: Layer,
    place: Option<String>,
}

impl Provider for Entry {
    fn metadata(&self) -> Metadata {
        match &self.place {
            Some(place) => Metadata::from(self.layer.name(), place.clone()),
            None => Metadata::named(self.layer.name()),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let dict = Dict::from([(self.key.to_owned(), self.value.clone())]);
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// The layers being laid, and what was noticed.
pub(super) struct Layers {
    pub(super) figment: Figment,
    pub(super) faults: Vec<ConfigFault>,
    pub(super) warnings: Vec<Warning>,
}

impl Layers {
    /// Lays all layers of the sources.
    pub(super) fn new(sources: &Sources) -> Self {
        let mut layers = Self { figment: Figment::new(), faults: Vec::new(), warnings: Vec::new() };
        for key in KEYS {
            if let Some(default) = key.default {
                layers.lay(key, Value::from(default), Layer::Default, None);
            }
        }
        if let Some(file) = &sources.file {
            layers.lay_file(&file.name, &file.text);
        }
        layers.lay_environment(sources);
        layers.lay_flags(sources);
        layers
    }

    fn lay(&mut self, key: &Key, value: Value, layer: Layer, place: Option<String>) {
        let figment = std::mem::take(&mut self.figment);
        self.figment = figment.merge(Entry { key: key.name, value, layer, place });
    }

    fn lay_file(&mut self, name: &str, text: &str) {
        let mut dict = match Toml::string(text).data() {
            Ok(mut profiles) => profiles.remove(&Profile::Default).unwrap_or_default(),
            Err(error) => {
                let message = format!("is not TOML: {}", without_excerpt(&error.to_string()));
                self.faults.push(ConfigFault { key: name.to_owned(), origin: "file".to_owned(), message });
                return;
            }
        };
        for key in KEYS {
            let new = dict.remove(key.name);
            let old = key.renamed_from.and_then(|(old, _)| dict.remove(old).map(|value| (old, value)));
            if let Some((old, value)) = old {
                self.renamed(old, name.to_owned(), key.name, new.is_some());
                self.lay(key, value, Layer::File, Some(format!("{name}, as {old}")));
            }
            if let Some(value) = new {
                self.lay(key, value, Layer::File, Some(name.to_owned()));
            }
        }
        for unknown in dict.into_keys() {
            let message = "is not a key of the configuration".to_owned();
            self.faults.push(ConfigFault { key: unknown, origin: name.to_owned(), message });
        }
    }

    fn lay_environment(&mut self, sources: &Sources) {
        // compose files pass on variables that nobody set as empty ones
        let set = |name: &str| sources.env.get(name).filter(|value| !value.trim().is_empty());
        let mut known = vec![CONFIG_ENV];
        for key in KEYS {
            known.push(key.env);
            let old = key.renamed_from.and_then(|(_, old)| set(old).map(|value| (old, value)));
            if let Some((old, value)) = old {
                self.renamed(key.name, format!("environment {old}"), key.env, set(key.env).is_some());
                self.lay(key, Value::from(value.trim()), Layer::Environment, Some(old.to_owned()));
            }
            known.extend(key.renamed_from.map(|(_, old)| old));
            if let Some(value) = set(key.env) {
                self.lay(key, Value::from(value.trim()), Layer::Environment, Some(key.env.to_owned()));
            }
        }
        // no fault: Kubernetes sets such names for every service called pelatis
        for name in sources.env.keys().filter(|name| name.starts_with("PELATIS_") && !known.contains(&name.as_str())) {
            let message = "is not the name of any key and does nothing".to_owned();
            self.warnings.push(Warning { key: name.clone(), origin: "environment".to_owned(), message });
        }
    }

    fn lay_flags(&mut self, sources: &Sources) {
        let mut flags: Map<String, &String> = sources.flags.iter().map(|(name, value)| (name.replace('-', "_"), value)).collect();
        for key in KEYS.iter().filter(|key| key.has_flag) {
            if let Some((old, _)) = key.renamed_from
                && let Some(value) = flags.remove(old)
            {
                let place = super::flags::flag(old);
                self.renamed(key.name, format!("flag {place}"), &super::flags::flag(key.name), flags.contains_key(key.name));
                self.lay(key, Value::from(value.as_str()), Layer::Flag, Some(place));
            }
            if let Some(value) = flags.remove(key.name) {
                self.lay(key, Value::from(value.as_str()), Layer::Flag, Some(super::flags::flag(key.name)));
            }
        }
        for unknown in flags.into_keys() {
            let message = "cannot be given as a flag".to_owned();
            self.faults.push(ConfigFault { origin: format!("flag {}", super::flags::flag(&unknown)), key: unknown, message });
        }
    }

    fn renamed(&mut self, key: &str, origin: String, new: &str, both: bool) {
        let message = if both {
            format!("has a new name, {new}, which is set too and is used; take the old one out")
        } else {
            format!("has a new name, {new}; the old one will go away")
        };
        self.warnings.push(Warning { key: key.to_owned(), origin, message });
    }
}

/// The parser's message without the lines that it quotes from the file, which may hold secrets.
fn without_excerpt(message: &str) -> String {
    let is_quoted =
        |line: &&str| !line.trim_start_matches(|letter: char| letter.is_whitespace() || letter.is_ascii_digit()).starts_with('|');
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).filter(is_quoted).collect();
    lines.join(": ")
}
