//! The configuration: defaults, under `pelatis.toml`, under the environment, under flags.
//!
//! [`Config::load`] is a pure function of its [`Sources`] (but for a look at `secret_key_file`, which is an input too). It
//! fails with everything that is wrong at once, each with its key and where it came from and never with its value, as that
//! may be secret. The table of keys, and how to add or rename one, is in [`keys`].

mod checks;
mod commented;
mod fault;
mod flags;
mod keys;
mod layers;
mod reader;
mod setting;
mod source;
#[cfg(test)]
mod tests;

pub use commented::commented_file;
pub use fault::{ConfigFaults, Warning};
pub use flags::Flags;
pub use keys::Config;
pub use source::Sources;

use keys::Draft;
use layers::Layers;
use reader::Reader;

impl Config {
    /// Makes the configuration, with what ought to be changed about it.
    ///
    /// # Errors
    /// Everything that is wrong: a file that is not TOML, keys that do not exist, values of a wrong type or out of range, and
    /// values that do not agree.
    pub fn load(sources: &Sources) -> Result<(Self, Vec<Warning>), ConfigFaults> {
        let mut reader = Reader::new(Layers::new(sources));
        let draft = Draft::read(&mut reader);
        checks::check(&draft, &mut reader, sources.probe);
        match draft.finish() {
            Some(config) if reader.faults.is_empty() => Ok((config, reader.warnings)),
            _ => Err(ConfigFaults(reader.faults)),
        }
    }
}
