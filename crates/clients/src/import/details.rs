//! What is known of each record of a file: some 250 bytes a row, too much to be held for all of a long file, and looked at again only where
//! a record comes once more. So it goes to a file without a name, which ends with whoever reads.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

/// Words that are held before they go to the file: half a megabyte.
const HELD: usize = 64 * 1024;
/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// Words that are added behind each other and read again, few of them.
#[derive(Default)]
pub(super) struct Details {
    /// The folder for the file; none where all stays in memory.
    folder: Option<PathBuf>,
    file: Option<File>,
    /// Words in the file.
    filed: usize,
    held: Vec<u64>,
}

impl Details {
    /// Those of a long file.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..Self::default() }
    }

    /// Adds words; returns the place of the first.
    pub fn add(&mut self, words: impl IntoIterator<Item = u64>) -> io::Result<usize> {
        if self.held.len() >= HELD
            && let Some(folder) = &self.folder
        {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile_in(folder)?),
            };
            file.seek(SeekFrom::End(0))?;
            let bytes: Vec<u8> = self.held.iter().flat_map(|word| word.to_le_bytes()).collect();
            file.write_all(&bytes)?;
            self.filed += self.held.len();
            self.held.clear();
        }
        let place = self.filed + self.held.len();
        self.held.extend(words);
        Ok(place)
    }

    /// So many words from a place, which were added together.
    pub fn read(&mut self, place: usize, count: usize) -> io::Result<Vec<u64>> {
        let Some(from_held) = place.checked_sub(self.filed) else {
            let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            file.seek(SeekFrom::Start((place * WORD) as u64))?;
            let mut bytes = vec![0; count * WORD];
            file.read_exact(&mut bytes)?;
            return Ok(bytes.as_chunks::<WORD>().0.iter().map(|word| u64::from_le_bytes(*word)).collect());
        };
        self.held.get(from_held..from_held + count).map(<[u64]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_again_wherever_it_lies_by_then() {
        for mut details in [Details::default(), Details::in_folder(std::env::temp_dir())] {
            let row = |number: u64| (0..number % 40).map(move |place| number << 8 | place);
            let mut places = Vec::new();
            for number in 0..10_000 {
                places.push(details.add(row(number)).unwrap());
                // some are read while more are to come
                let earlier = number * 7 % (number + 1);
                let count = row(earlier).count();
                let there = details.read(places[usize::try_from(earlier).unwrap()], count).unwrap();
                assert_eq!(there, row(earlier).collect::<Vec<_>>(), "{earlier} after {number}");
            }
            assert_eq!(details.file.is_some(), details.folder.is_some());
        }
    }
}
