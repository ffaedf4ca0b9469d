//! Bounds on what is read: of all, and of what stands between two angle brackets, which a reader of XML holds in memory.

use std::io::{self, Read};

/// Bytes between two angle brackets at most.
const MOST_BETWEEN: usize = 1024 * 1024;

/// A reader that fails where a bound is passed.
pub(super) struct Guard<R> {
    reader: R,
    left: u64,
    between: usize,
}

#[derive(Debug)]
struct Bound;

impl std::fmt::Display for Bound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a bound was passed")
    }
}

impl std::error::Error for Bound {}

/// Whether a failure is that of a bound.
pub(super) fn is_bound(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Bound>())
}

impl<R: Read> Guard<R> {
    pub fn new(reader: R, most: u64) -> Self {
        Self { reader, left: most, between: 0 }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(Bound))?;
        for piece in bytes.split_inclusive(|byte| *byte == b'<') {
            self.between += piece.len();
            if self.between > MOST_BETWEEN {
                return Err(io::Error::other(Bound));
            }
            if piece.ends_with(b"<") {
                self.between = 0;
            }
        }
        Ok(read)
    }
}
