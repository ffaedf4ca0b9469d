//! The first line: which delimiter, which columns, and what they stand for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use kernel::Result;
use kernel::error::Faults;
use kernel::text::fold;

use super::CsvRow;
use crate::custom_fields::check_key;

/// What stands between the fields of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`, which spreadsheets write where the comma is the decimal mark, as in Greece.
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl Delimiter {
    const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Pipe => "pipe",
        }
    }

    /// The delimiter as a byte of ASCII.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

/// The text is no delimiter that files are read with.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownDelimiter;

impl FromStr for Delimiter {
    type Err = UnknownDelimiter;

    /// The character itself, or its name: `comma`, `semicolon`, `tab`, `pipe`.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "," | "comma" => Ok(Self::Comma),
            ";" | "semicolon" => Ok(Self::Semicolon),
            "\t" | "tab" => Ok(Self::Tab),
            "|" | "pipe" => Ok(Self::Pipe),
            _ => Err(UnknownDelimiter),
        }
    }
}

/// What the first bytes of a file tell.
pub(super) struct Sniffed {
    pub(super) delimiter: Delimiter,
    /// The length of a first line that only names the delimiter, as Excel writes it: `sep=;`.
    pub(super) skip: Option<usize>,
}

/// Tells the delimiter: the one that the header line has most of outside quotes, the comma if it has none. If the header is
/// longer than `start`, it goes by what is there.
pub(super) fn sniff(start: &[u8]) -> Sniffed {
    let first = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    if let Some((name, mark)) = first.split_at_checked(4)
        && name.eq_ignore_ascii_case(b"sep=")
        && let Some(delimiter) = Delimiter::ALL.into_iter().find(|delimiter| mark == [delimiter.byte()])
    {
        return Sniffed { delimiter, skip: Some(first.len()) };
    }
    let mut counts = Delimiter::ALL.map(|delimiter| (delimiter, 0_usize));
    let (mut quoted, mut blank) = (false, true);
    for &byte in start {
        match byte {
            b'\n' | b'\r' if quoted || blank => {}
            b'\n' | b'\r' => break,
            b'"' => (quoted, blank) = (!quoted, false),
            _ if quoted => {}
            _ => {
                blank = blank && byte.is_ascii_whitespace();
                for (_, count) in counts.iter_mut().filter(|(delimiter, _)| delimiter.byte() == byte) {
                    *count += 1;
                }
            }
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let delimiter = counts.iter().find(|(_, count)| *count == most).map_or(Delimiter::Comma, |(delimiter, _)| *delimiter);
    Sniffed { delimiter, skip: None }
}

/// A name as it is compared: without regard to case and accents; blanks, underscores and hyphens are the same.
pub(super) fn comparable(name: &str) -> String {
    let parts = fold(name);
    let parts: Vec<&str> = parts
        .split(|letter: char| letter == '_' || letter == '-' || letter.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

/// The canonical name of a column: one that is known beforehand, or that of a custom field, such as `cf[key]`.
pub type Name = Cow<'static, str>;

/// The names that columns can stand for.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Canonical names, each with what people call them.
    pub fixed: &'static [(&'static str, &'static [&'static str])],
    /// The words that can stand before `[key]` of a custom field, for any key.
    pub custom_fields: &'static [&'static str],
}

/// The key of a custom field in the name of a column, behind this word.
pub fn custom_column<'n>(name: &'n str, word: &str) -> Option<&'n str> {
    name.strip_prefix(word)?.strip_prefix('[')?.strip_suffix(']').filter(|key| check_key(key))
}

impl Names {
    fn custom(self, name: &str) -> Option<Name> {
        let is_custom = self.custom_fields.iter().any(|word| custom_column(name, word).is_some());
        is_custom.then(|| Cow::Owned(name.to_owned()))
    }

    fn canonical(self, name: &str) -> Option<Name> {
        let fixed = self.fixed.iter().find(|(canonical, _)| *canonical == name);
        fixed.map(|(canonical, _)| Cow::Borrowed(*canonical)).or_else(|| self.custom(name))
    }

    /// All of them, for messages.
    pub fn known(self) -> String {
        let fixed = self.fixed.iter().map(|(name, _)| (*name).to_owned());
        fixed.chain(self.custom_fields.iter().map(|word| format!("{word}[key]"))).collect::<Vec<_>>().join(", ")
    }
}

/// Which column stands for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    known: Vec<(Name, usize)>,
    unknown: Vec<String>,
    repeated: Vec<String>,
}

impl Mapping {
    /// The index of the column that stands for `canonical`, from 0.
    pub fn index(&self, canonical: &str) -> Option<usize> {
        self.known.iter().find(|(name, _)| *name == canonical).map(|(_, index)| *index)
    }

    /// The value of a row for `canonical`; none if there is no such column or the field is empty.
    pub fn value<'row>(&self, row: &'row CsvRow, canonical: &str) -> Option<&'row str> {
        row.values.get(self.index(canonical)?).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What a row says, by the canonical names of its columns; what is empty says nothing.
    pub fn cells(&self, row: CsvRow) -> Cells {
        let CsvRow { line, mut values } = row;
        let filled = self.known.iter().filter_map(|(name, index)| {
            let value = std::mem::take(values.get_mut(*index)?);
            (!value.is_empty()).then_some((name.clone(), value))
        });
        Cells { line, values: filled.collect() }
    }

    /// What is there, with the index of its column, in the order of the columns.
    pub fn known(&self) -> &[(Name, usize)] {
        &self.known
    }

    /// Those of `required` for which there is no column.
    pub fn missing(&self, required: &[&'static str]) -> Vec<&'static str> {
        required.iter().copied().filter(|name| self.index(name).is_none()).collect()
    }

    /// The headers that nobody knows, as they stand in the file; a column without a name is not among them.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The headers that stand for something that another column stands for already; their values are not used.
    pub fn repeated(&self) -> &[String] {
        &self.repeated
    }
}

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    /// The line of the file that the row begins in, from 1.
    pub line: u64,
    /// Canonical names with their values, none of which is empty.
    pub values: Vec<(Name, String)>,
}

impl Cells {
    /// What stands under a canonical name; none if nothing does.
    pub fn value(&self, canonical: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| *name == canonical).map(|(_, value)| value.as_str())
    }
}

/// Takes each column for what somebody says that it stands for. Headers that are not named, or that stand for nothing, are not used.
///
/// # Errors
/// `validation_failed` with `unknown_header`, `unknown_column` and `repeated`, each at `/mapping/<header>`.
pub fn given_mapping(headers: &[String], names: Names, given: &BTreeMap<String, Option<String>>) -> Result<Mapping> {
    let mut mapping = Mapping::default();
    let mut faults = Faults::new();
    for (header, column) in given {
        let at = || format!("/mapping/{}", header.replace('~', "~0").replace('/', "~1"));
        let index = headers.iter().position(|known| known == header);
        if index.is_none() {
            faults.add(at(), "unknown_header", "is no header of the file");
        }
        let Some(column) = column else { continue };
        let Some(canonical) = names.canonical(column) else {
            faults.add(at(), "unknown_column", format!("must be one of {}", names.known()));
            continue;
        };
        if mapping.known.iter().any(|(taken, _)| *taken == canonical) {
            faults.add(at(), "repeated", "stands for the same as another header");
        } else if let Some(index) = index {
            mapping.known.push((canonical, index));
        }
    }
    faults.into_result()?;
    mapping.known.sort_by_key(|(_, index)| *index);
    let is_used = |index: usize| mapping.known.iter().any(|(_, used)| *used == index);
    let unused = headers.iter().enumerate().filter(|(index, header)| !header.is_empty() && !is_used(*index));
    mapping.unknown = unused.map(|(_, header)| header.clone()).collect();
    Ok(mapping)
}

/// Finds what each column stands for: `names` are the canonical names, each with its aliases. Where two columns stand for the
/// same, the one with the canonical name is taken, else the first.
pub fn mapping(headers: &[String], names: Names) -> Mapping {
    let mut mapping = Mapping::default();
    let headers: Vec<(usize, &String, String)> =
        headers.iter().enumerate().map(|(index, header)| (index, header, comparable(header))).collect();
    let named = |name: &str, wanted: &str| comparable(wanted) == *name;
    for (canonical, aliases) in names.fixed {
        let column = headers
            .iter()
            .find(|(_, _, name)| named(name, canonical))
            .or_else(|| headers.iter().find(|(_, _, name)| !name.is_empty() && aliases.iter().any(|alias| named(name, alias))));
        if let Some((index, ..)) = column
            && !mapping.known.iter().any(|(_, taken)| taken == index)
        {
            mapping.known.push((Cow::Borrowed(*canonical), *index));
        }
    }
    for (index, header, _) in &headers {
        let custom = names.custom(header).filter(|name| !mapping.known.iter().any(|(known, _)| known == name));
        mapping.known.extend(custom.map(|name| (name, *index)));
    }
    mapping.known.sort_by_key(|(_, index)| *index);
    for (index, header, name) in headers {
        if name.is_empty() || mapping.known.iter().any(|(_, taken)| *taken == index) {
            continue;
        }
        let is_fixed =
            |(canonical, aliases): &(&str, &[&str])| named(&name, canonical) || aliases.iter().any(|alias| named(&name, alias));
        let stands_for_something = names.custom(header).is_some() || names.fixed.iter().any(is_fixed);
        let list = if stands_for_something { &mut mapping.repeated } else { &mut mapping.unknown };
        list.push(header.clone());
    }
    mapping
}
