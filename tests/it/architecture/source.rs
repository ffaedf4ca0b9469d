//! The repository's Rust files, taken apart as far as the rules need it: code, text literals, and what only tests see.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file.
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    /// As it is written.
    pub text: String,
    /// The same lines without comments and without what stands in literals.
    pub code: String,
    /// The text literals with their lines.
    pub literals: Vec<(usize, String)>,
}

impl Source {
    /// A file of this content.
    pub fn new(path: &str, text: &str) -> Self {
        let (code, literals) = take_apart(text);
        Self { path: path.to_owned(), text: text.to_owned(), code, literals }
    }

    /// Whether all of it is compiled for tests only.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// How many lines stand before its unit tests, which are last in a file.
    pub fn lines_without_tests(&self) -> usize {
        let lines: Vec<&str> = self.code.lines().collect();
        lines
            .windows(2)
            .position(|pair| pair.first() == Some(&"#[cfg(test)]") && pair.last().is_some_and(|next| next.starts_with("mod ")))
            .unwrap_or(lines.len())
    }

    /// The lines of code, without the unit tests, that have one of the words.
    pub fn find_outside_tests<'a>(&'a self, words: &'a [&str]) -> impl Iterator<Item = String> + 'a {
        found(&self.path, self.code.lines().take(self.lines_without_tests()), words)
    }

    /// The lines of code that have one of the words.
    pub fn find<'a>(&'a self, words: &'a [&str]) -> impl Iterator<Item = String> + 'a {
        found(&self.path, self.code.lines(), words)
    }
}

fn found<'a>(path: &'a str, lines: impl Iterator<Item = &'a str> + 'a, words: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    lines.zip(1..).flat_map(move |(line, number)| {
        words.iter().filter(move |word| has_word(line, word)).map(move |word| format!("{path}:{number}: {word}"))
    })
}

/// Whether the word stands in the line by itself, and not as a part of a longer one.
pub fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let after = rest.strip_prefix(word).unwrap_or_default();
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The code with comments and literals blanked, line by line, and the literals.
fn take_apart(text: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let comment = comment_length(rest);
        let literal = if comment == 0 { literal_length(rest, &code) } else { 0 };
        let length = comment + literal;
        let (token, after) = rest.split_at(if length == 0 { character.len_utf8() } else { length });
        if length == 0 {
            code.push_str(token);
        } else {
            if literal > 0 {
                literals.push((1 + code.matches('\n').count(), token.to_owned()));
            }
            // a literal stays one as far as words are concerned: `a"b"c` is three of them
            code.push(' ');
            code.extend(token.chars().filter(|&blanked| blanked == '\n'));
        }
        rest = after;
    }
    (code, literals)
}

/// The length of the comment that the text begins with, or 0.
fn comment_length(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if !text.starts_with("/*") {
        return 0;
    }
    // they nest
    let mut depth = 0_usize;
    let mut length = 0;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            character.len_utf8()
        };
        length += step;
        rest = rest.split_at(step).1;
        if depth == 0 {
            break;
        }
    }
    length
}

/// The length of the text or character literal that the text begins with, or 0.
fn literal_length(text: &str, code_before: &str) -> usize {
    if text.starts_with('"') {
        return 1 + quoted_length(text.split_at(1).1, '"');
    }
    if let Some(after) = text.strip_prefix('\'') {
        let mut characters = after.chars();
        return match (characters.next(), characters.next()) {
            (Some('\\'), _) => 1 + quoted_length(after, '\''),
            (Some(only), Some('\'')) => 2 + only.len_utf8(),
            // a lifetime
            _ => 0,
        };
    }
    if !text.starts_with('r') || code_before.trim_end_matches(['b', 'c']).ends_with(is_word) {
        return 0;
    }
    let after = text.trim_start_matches('r').trim_start_matches('#');
    let opening = text.len() - after.len();
    // `r#type` is a name
    if !after.starts_with('"') || !text.split_at(1).1.starts_with(['#', '"']) {
        return 0;
    }
    let closing = format!("\"{}", "#".repeat(opening - 1));
    let content = after.split_at(1).1;
    content.find(&closing).map_or(text.len(), |end| opening + 1 + end + closing.len())
}

/// The length up to and with the quote that ends a literal.
fn quoted_length(content: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in content.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    content.len()
}

/// All Rust files of the repository that are compiled with it.
pub fn rust_files(root: &Path) -> io::Result<Vec<Source>> {
    let mut paths = Vec::new();
    for folder in ["crates", "migration", "tests"] {
        walk(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
            Ok(Source::new(&relative, &fs::read_to_string(path)?))
        })
        .collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                walk(&path, paths)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "let a = \"one \\\" // two\"; // three\n/* four /* five */ six */ let b = r#\"seven \" eight\"#;\nfn f<'a>(c: &'a str) -> char { '\"' }\n\
                let d = br\"nine\"; let r#type = '\\''; let e = \"ten\nten\"; eleven\n";
    let source = Source::new("a.rs", text);
    for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"] {
        assert_eq!(source.find(&[word]).collect::<Vec<_>>(), Vec::<String>::new(), "{}", source.code);
    }
    assert_eq!(
        source.find(&["eleven", "f", "str", "char", "type"]).collect::<Vec<_>>(),
        ["a.rs:3: f", "a.rs:3: str", "a.rs:3: char", "a.rs:4: type", "a.rs:5: eleven"]
    );
    let literals: Vec<(usize, &str)> = source.literals.iter().map(|(line, literal)| (*line, literal.as_str())).collect();
    assert_eq!(
        literals,
        [
            (1, "\"one \\\" // two\""),
            (2, "r#\"seven \" eight\"#"),
            (3, "'\"'"),
            (4, "r\"nine\""),
            (4, "'\\''"),
            (4, "\"ten\nten\""),
        ]
    );
}

#[test]
fn words_are_whole() {
    assert!(has_word("a unsafe { }", "unsafe"));
    assert!(has_word("(unsafe)", "unsafe"));
    assert!(!has_word("unsafe_code", "unsafe"));
    assert!(!has_word("not_unsafe", "unsafe"));
}
