//! Reading an archive, always from its beginning to its end.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use kernel::{Error, Result};

use super::sealed::Identities;
use super::write::from_io;
use super::{FORMAT, MANIFEST, Manifest, SUMS, sum_line};
use crate::errors::BACKUP_DAMAGED;

/// The longest manifest that is read, in bytes.
const MANIFEST_LENGTH: u64 = 64 << 20;

/// An entry, with its content still to be read.
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// The bytes of its content.
    pub length: u64,
    /// Its content.
    pub content: &'a mut dyn Read,
}

/// What hinders reading an archive.
pub(crate) fn damaged(why: impl Into<String>) -> Error {
    Error::new(&BACKUP_DAMAGED).with_detail(why)
}

fn unread(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => from_io(error),
        _ => damaged(format!("The archive cannot be read: {error}.")).with_source(error),
    }
}

/// Shows each entry in its order. Takes the thread it is called on.
///
/// # Errors
/// `backup_damaged` when it cannot be read, also where the key is lacking; what `each` returns.
pub fn walk(path: &Path, identities: &Identities, mut each: impl FnMut(&mut Entry<'_>) -> Result<()>) -> Result<()> {
    let file = BufReader::with_capacity(1 << 18, File::open(path).map_err(from_io)?);
    let opened = identities.open(file).map_err(unread)?;
    let mut tar = tar::Archive::new(zstd::Decoder::new(opened).map_err(unread)?);
    for entry in tar.entries().map_err(unread)? {
        let mut entry = entry.map_err(unread)?;
        let name = String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| damaged("An entry has no name."))?;
        if entry.header().entry_type() != tar::EntryType::Regular || !is_name(&name) {
            return Err(damaged(format!("An entry cannot be here: {name:?}.")));
        }
        let length = entry.size();
        each(&mut Entry { name: &name, length, content: &mut entry })?;
    }
    // the reader of entries stops where they end; what lies after that is damaged like anything else, and has the checksum of it all
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(unread)?;
    Ok(())
}

/// Whether an entry may be called so: nothing in it leads elsewhere.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    name.split('/').all(is_part)
}

/// Reads all of it, and makes sure that every entry is what it was when it was written, and that none is missing.
///
/// # Errors
/// `backup_damaged` with what is wrong.
pub fn verify(path: &Path, identities: &Identities) -> Result<Manifest> {
    let mut seen = Context::new(&SHA256);
    let mut manifest: Option<Manifest> = None;
    let mut is_whole = false;
    walk(path, identities, |entry| {
        if is_whole {
            return Err(damaged("There is something after the checksums."));
        }
        if entry.name == SUMS {
            let listed = digest(entry.content)?;
            if listed != seen.clone().finish().as_ref() {
                return Err(damaged("The entries are not those that the checksums speak of."));
            }
            is_whole = true;
            return Ok(());
        }
        let own = if entry.name == MANIFEST {
            let mut text = Vec::new();
            entry.content.take(MANIFEST_LENGTH).read_to_end(&mut text).map_err(unread)?;
            manifest = Some(read_manifest(&text)?);
            aws_lc_rs::digest::digest(&SHA256, &text).as_ref().to_vec()
        } else {
            digest(entry.content)?
        };
        seen.update(sum_line(&own, entry.name).as_bytes());
        Ok(())
    })?;
    if !is_whole {
        return Err(damaged("It ends too early."));
    }
    manifest.ok_or_else(|| damaged("It has no manifest."))
}

fn read_manifest(text: &[u8]) -> Result<Manifest> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let unreadable = |error: serde_json::Error| damaged("Its manifest cannot be read.").with_source(error);
    let Format { format } = serde_json::from_slice(text).map_err(unreadable)?;
    if format != FORMAT {
        return Err(damaged(format!("It is of format {format}, and this program reads format {FORMAT}.")));
    }
    serde_json::from_slice(text).map_err(unreadable)
}

fn digest(content: &mut dyn Read) -> Result<Vec<u8>> {
    let mut digest = Context::new(&SHA256);
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = content.read(&mut piece).map_err(unread)?;
        match piece.get(..read) {
            Some(bytes) if !bytes.is_empty() => digest.update(bytes),
            _ => return Ok(digest.finish().as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_lead_nowhere_else() {
        for right in ["manifest.json", "database/client/00000001.copy", "files/local/0192-ab/clients/x.pdf"] {
            assert!(is_name(right), "{right}");
        }
        for wrong in ["", "/etc/passwd", "a/../b", "..", "a//b", "./a", "a\\b", "a\0b", "Ω"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
