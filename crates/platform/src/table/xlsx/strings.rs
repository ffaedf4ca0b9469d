//! The texts that cells share, in one piece.

use std::io::{Read, Seek};

use kernel::Result;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::{MOST_HELD, damaged, next, part, text_of};
use crate::csv_source::MAX_FIELD_BYTES;

/// The texts, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// The text of this number, from 0.
    pub fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let begin = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(begin as usize..end as usize)
    }

    fn close(&mut self) -> Result<()> {
        let begin = self.ends.last().copied().unwrap_or(0) as usize;
        cut(&mut self.text, begin);
        self.ends.push(u32::try_from(self.text.len()).map_err(|_| damaged("it has too much text"))?);
        Ok(())
    }
}

/// Cuts a text that begins here and is longer than any field may be, so that it is found to be too long and takes no more than it must.
pub(super) fn cut(text: &mut String, begin: usize) {
    let mut end = begin + MAX_FIELD_BYTES + 1;
    if text.len() > end {
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.truncate(end);
    }
}

pub(super) fn read<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<Strings> {
    let mut strings = Strings::default();
    let Some(mut reader) = part(archive, "xl/sharedStrings.xml", MOST_HELD)? else { return Ok(strings) };
    let mut buffer = Vec::new();
    let (mut is_text, mut phonetic) = (false, 0_u32);
    loop {
        let event = next(&mut reader, &mut buffer)?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                b"t" => is_text = phonetic == 0,
                // how it is read aloud is no part of it
                b"rPh" => phonetic += 1,
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                b"t" => is_text = false,
                b"rPh" => phonetic = phonetic.saturating_sub(1),
                b"si" => strings.close()?,
                _ => {}
            },
            Event::Eof => return Ok(strings),
            event if is_text => {
                text_of(event, &mut strings.text)?;
                let begin = strings.ends.last().copied().unwrap_or(0) as usize;
                cut(&mut strings.text, begin);
            }
            _ => {}
        }
    }
}
