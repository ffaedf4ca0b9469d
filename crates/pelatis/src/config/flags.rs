//! Every key as a flag of the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::keys::KEYS;
use super::setting::Shape;

/// The configuration that was given as flags. In a command: `#[command(flatten)] flags: Flags`.
#[derive(Clone, Default)]
pub struct Flags {
    /// The path of the file: `--config`.
    pub config: Option<PathBuf>,
    /// Keys and values.
    pub values: BTreeMap<String, String>,
}

impl std::fmt::Debug for Flags {
    /// The names alone, as a value may hold a password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Flags").field("config", &self.config).field("values", &self.values.keys()).finish()
    }
}

/// The names of the flags, in the order of the keys; here because clap borrows them for ever.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| KEYS.iter().map(|key| key.name.replace('_', "-")).collect());

/// The flag of a key, as it is typed.
pub(super) fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

fn arguments() -> impl Iterator<Item = Arg> {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("The configuration file, else PELATIS_CONFIG, else pelatis.toml in the working folder.");
    let keys = KEYS.iter().zip(NAMES.iter()).filter(|(key, _)| key.has_flag).map(|(key, name)| {
        let kind = match key.shape {
            Shape::Text => "TEXT",
            Shape::Number => "NUMBER",
            Shape::Boolean => "true|false",
            Shape::List => "LIST",
        };
        let help = key.doc.first().copied().unwrap_or_default().trim();
        // an old name is an argument of its own, so that its use can be told
        Arg::new(key.name).long(name.as_str()).value_name(kind).help(help).help_heading("Configuration")
    });
    let old = KEYS.iter().filter(|key| key.has_flag).filter_map(|key| key.renamed_from);
    let old = old.map(|(old, _)| Arg::new(old).long(old).value_name("TEXT").hide(true));
    std::iter::once(config).chain(keys).chain(old)
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(arguments())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = KEYS.iter().flat_map(|key| std::iter::once(key.name).chain(key.renamed_from.map(|(old, _)| old)));
        let values = names.filter_map(|name| {
            let value = matches.try_get_one::<String>(name).ok().flatten()?;
            Some((name.to_owned(), value.clone()))
        });
        Ok(Self { config: matches.get_one::<PathBuf>("config").cloned(), values: values.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
