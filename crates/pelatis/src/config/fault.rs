//! What is said about a configuration.

use std::error::Error;
use std::fmt;

/// One thing that is wrong. It names the key and never repeats its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key, as in the file; `pelatis.toml` or the like for the file as a whole.
    pub key: String,
    /// Where the value came from, such as `environment PELATIS_LISTEN`.
    pub origin: String,
    /// What it must be, or what is wrong.
    pub message: String,
}

/// Everything that is wrong with a configuration; its text lists all of it, one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

/// Something that works and ought to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The key, as in the file.
    pub key: String,
    /// Where it came from, such as `environment PELATIS_BIND`.
    pub origin: String,
    /// What ought to be changed.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({}) {}", self.key, self.origin, self.message)
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = if self.0.len() == 1 { "one fault" } else { "faults" };
        write!(out, "the configuration has {faults}:")?;
        self.0.iter().try_for_each(|fault| write!(out, "\n  {fault}"))
    }
}

impl Error for ConfigFaults {}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({}) {}", self.key, self.origin, self.message)
    }
}
