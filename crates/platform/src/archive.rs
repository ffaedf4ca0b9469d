//! A ZIP archive that is sent while it is made: what is ready is taken out of it piece by piece, so that it never lies in memory as a whole.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{Error, Result};
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

/// What is ready. The archive writes into it, and it is taken from the other end.
#[derive(Clone, Default)]
struct Outlet(Arc<Mutex<Vec<u8>>>);

impl Outlet {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An archive in the making.
pub struct Archive {
    /// On the heap: the state of its compression would be moved about with every piece.
    zip: Box<ZipWriter<StreamWriter<Outlet>>>,
    outlet: Outlet,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Archive({} bytes ready)", self.outlet.bytes().len())
    }
}

impl Archive {
    /// One with nothing in it.
    pub fn new() -> Self {
        let outlet = Outlet::default();
        Self { zip: Box::new(ZipWriter::new_stream(outlet.clone())), outlet }
    }

    /// Begins a part of this name, with `/` between folders. `length` is what it will have at most, in bytes: from 4 GiB on it takes a form that
    /// not every program reads (APPNOTE.TXT, 4.3.9.2).
    ///
    /// # Errors
    /// `internal` where there is a part of this name.
    pub fn begin(&mut self, name: &str, length: u64) -> Result<()> {
        let is_large = length >= u64::from(u32::MAX);
        // what is written here is much alike or compressed already: more effort saves little
        let options = SimpleFileOptions::default().compression_level(Some(1)).large_file(is_large);
        self.zip.start_file(name, options).map_err(Error::internal)
    }

    /// Adds to the part that was begun last.
    ///
    /// # Errors
    /// `internal` where none was begun.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.zip.write_all(bytes).map_err(Error::internal)
    }

    /// What is ready to be sent.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut *self.outlet.bytes())
    }

    /// Ends it: what is still to be sent.
    ///
    /// # Errors
    /// `internal` where what was written does not fit together.
    pub fn finish(self) -> Result<Vec<u8>> {
        let Self { zip, outlet } = self;
        zip.finish().map_err(Error::internal)?;
        let rest = std::mem::take(&mut *outlet.bytes());
        Ok(rest)
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self::new()
    }
}
