//! Which styles of cells show a number as a moment.

use std::collections::HashSet;
use std::io::{Read, Seek};

use kernel::Result;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::{MOST_HELD, attribute, next, part};

/// For each style, by its number, whether it shows moments.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<bool>);

impl Styles {
    pub fn shows_moments(&self, style: usize) -> bool {
        self.0.get(style).copied().unwrap_or(false)
    }
}

/// Formats that every workbook has and none writes down (ECMA-376, 18.8.30).
fn is_built_in(format: u32) -> bool {
    matches!(format, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a format is that of a moment: it has a letter of one, outside of quotes, brackets and what is escaped.
fn is_moment(format: &str) -> bool {
    let mut letters = format.chars();
    let first = format.split(';').next().unwrap_or_default();
    if first.trim().eq_ignore_ascii_case("general") {
        return false;
    }
    while let Some(letter) = letters.next() {
        match letter {
            '"' => while letters.next().is_some_and(|letter| letter != '"') {},
            '[' => while letters.next().is_some_and(|letter| letter != ']') {},
            '\\' | '_' | '*' => {
                letters.next();
            }
            ';' => return false,
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return true,
            _ => {}
        }
    }
    false
}

pub(super) fn read<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<Styles> {
    let mut styles = Styles::default();
    let Some(mut reader) = part(archive, "xl/styles.xml", MOST_HELD)? else { return Ok(styles) };
    let (mut moments, mut of_cells) = (HashSet::new(), false);
    let mut buffer = Vec::new();
    loop {
        match next(&mut reader, &mut buffer)? {
            Event::Start(element) => match element.local_name().as_ref() {
                b"numFmt" => {
                    let id = attribute(&element, b"numFmtId")?.and_then(|id| id.parse::<u32>().ok());
                    let format = attribute(&element, b"formatCode")?.unwrap_or_default();
                    moments.extend(id.filter(|_| is_moment(&format)));
                }
                b"cellXfs" => of_cells = true,
                b"xf" if of_cells => {
                    let id = attribute(&element, b"numFmtId")?.and_then(|id| id.parse::<u32>().ok()).unwrap_or(0);
                    styles.0.push(is_built_in(id) || moments.contains(&id));
                }
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == b"cellXfs" => of_cells = false,
            Event::Eof => return Ok(styles),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_moment;

    #[test]
    fn formats_of_moments_are_told_from_those_of_numbers() {
        for format in ["dd/mm/yyyy", "[$-408]d mmmm yyyy", "h:mm", "[h]:mm:ss", "yyyy\\-mm\\-dd"] {
            assert!(is_moment(format), "{format}");
        }
        for format in ["General", "0.00", "#,##0 \"days\"", "[Red]0.00", "@", "0_d", "\"Month\" 0"] {
            assert!(!is_moment(format), "{format}");
        }
    }
}
