//! The commented file that shows every key: `deploy/pelatis.toml`.

use super::keys::{KEYS, Key};
use super::setting::Shape;

const HEAD: &str = "\
# Every key of the configuration of Pelatis, with its default. Made from the table of keys in
# crates/pelatis/src/config/keys.rs, so do not edit it here.
#
# A key is looked for on the command line (--data-dir), then in the environment, then in this file: pelatis.toml in the
# working folder, or the file that PELATIS_CONFIG or --config names. To set a key here, take the # before it away.
";

/// The text of the file.
pub fn commented_file() -> String {
    KEYS.iter().fold(HEAD.to_owned(), |text, key| text + "\n" + &commented(key))
}

fn commented(key: &Key) -> String {
    let mut text = String::new();
    let mut line = |content: &str| {
        text.push_str(content);
        text.push('\n');
    };
    key.doc.iter().for_each(|doc| line(&format!("# {}", doc.trim())));
    if let Some(range) = &key.range {
        line(&format!("# From {} to {}.", range.start(), range.end()));
    }
    if let Some((old, _)) = key.renamed_from {
        line(&format!("# Formerly {old}."));
    }
    let without = if key.default.is_none() { " No default." } else { "" };
    line(&format!("# Environment: {}.{without}", key.env));
    let value = key.default.map(filled_in).or_else(|| key.example.map(str::to_owned)).unwrap_or_default();
    let value = match key.shape {
        Shape::Number | Shape::Boolean => value,
        Shape::Text => format!("\"{value}\""),
        // the default of every list is empty
        Shape::List => "[]".to_owned(),
    };
    line(&format!("#{} = {value}", key.name));
    text
}

/// A default with the defaults of other keys in it.
fn filled_in(default: &'static str) -> String {
    KEYS.iter().rev().fold(default.to_owned(), |text, key| match key.default {
        Some(value) => text.replace(&format!("<{}>", key.name), value),
        None => text,
    })
}
