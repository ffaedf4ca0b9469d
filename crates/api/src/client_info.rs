//! Frontends by what they call themselves, counted: the first hundred names that come, and one name for all others, so that
//! nobody can fill the memory with names.

use std::collections::HashSet;
use std::sync::Mutex;

const MOST: usize = 100;

/// The names that are known.
#[derive(Debug, Default)]
pub struct ClientInfos(Mutex<HashSet<String>>);

impl ClientInfos {
    /// The label under which a name is counted.
    pub fn label(&self, info: &str) -> String {
        let name: String = info.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(60).collect();
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.contains(&name) || (known.len() < MOST && known.insert(name.clone())) { name } else { "other".to_owned() }
    }
}
