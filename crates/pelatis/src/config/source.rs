//! Where a configuration comes from.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::fault::{ConfigFault, ConfigFaults};
use super::flags::Flags;

/// The environment variable with the path of the file.
pub const CONFIG_ENV: &str = "PELATIS_CONFIG";

/// The file that is read if it is there and no other is named.
const USUAL_FILE: &str = "pelatis.toml";

/// The content of a `pelatis.toml`.
#[derive(Clone)]
pub struct FileSource {
    /// What to call it in faults: its path.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// What is found at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A file that can be read.
    Readable,
    /// Something that cannot be read as a file.
    Unreadable,
    /// Nothing.
    Absent,
}

/// Everything that a configuration is made from. It has no `Debug`, as it holds secrets as they were given.
#[derive(Clone)]
pub struct Sources {
    /// The file, if there is one.
    pub file: Option<FileSource>,
    /// The environment: names and values.
    pub env: BTreeMap<String, String>,
    /// The command line: keys, with hyphens or underscores, and values.
    pub flags: BTreeMap<String, String>,
    /// Looks at a path; the one thing that depends on the machine.
    pub probe: fn(&Path) -> Probe,
}

impl Default for Sources {
    /// No file, no environment and no flags; paths are looked up on the disk.
    fn default() -> Self {
        Self { file: None, env: BTreeMap::new(), flags: BTreeMap::new(), probe }
    }
}

impl Sources {
    /// The environment of this process, its flags, and the file that they name, else `pelatis.toml` in the working folder if
    /// it is there.
    ///
    /// # Errors
    /// One fault if the file cannot be read.
    pub fn of_process(flags: Flags) -> Result<Self, ConfigFaults> {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        let from_env = || {
            env.get(CONFIG_ENV).filter(|path| !path.is_empty()).map(|path| (path.clone(), format!("environment {CONFIG_ENV}")))
        };
        let from_flag = flags.config.map(|path| (path.display().to_string(), "flag --config".to_owned()));
        let file = match from_flag.or_else(from_env) {
            Some((path, origin)) => Some(read(&path).map_err(|error| unreadable(path, origin, error.kind()))?),
            None => match read(USUAL_FILE) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(unreadable(USUAL_FILE.to_owned(), "default".to_owned(), error.kind())),
            },
        };
        Ok(Self { file, env, flags: flags.values, probe })
    }
}

fn read(path: &str) -> std::io::Result<FileSource> {
    std::fs::read_to_string(path).map(|text| FileSource { name: path.to_owned(), text })
}

fn unreadable(path: String, origin: String, kind: ErrorKind) -> ConfigFaults {
    ConfigFaults(vec![ConfigFault { key: path, origin, message: format!("cannot be read: {kind}") }])
}

fn probe(path: &Path) -> Probe {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() && File::open(path).is_ok() => Probe::Readable,
        Err(error) if error.kind() == ErrorKind::NotFound => Probe::Absent,
        _ => Probe::Unreadable,
    }
}
