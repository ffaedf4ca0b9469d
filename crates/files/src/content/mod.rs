//! What a file is, told from its content: the name and the declared type are compared with it, and believed in nothing.

mod archive;
mod image;
mod kind;
mod name;
mod office;
mod sniff;
mod text;

use std::fs::File;
use std::path::Path;

use auth::workspaces::FileKinds;
use kernel::{Error, FieldError, Result};
use platform::table::TableForm;

use crate::errors::{FILE_MALFORMED, FILE_TOO_DENSE, FILE_TYPE_MISMATCH, FILE_TYPE_NOT_ALLOWED};
use crate::spool::{Received, disk_failed};
pub(crate) use kind::FileType;
pub use name::clean;
pub(crate) use text::TextCheck;

/// The media type of an object, by the ending that its key was given.
pub fn mime_of_key(key: &str) -> &'static str {
    let ending = key.rsplit_once('.').map_or("", |(_, ending)| ending);
    FileType::of_ending(ending).map_or("application/octet-stream", FileType::mime)
}

/// What the sender says of a file.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Its name.
    pub filename: Option<String>,
    /// Its media type, without parameters.
    pub mime_type: Option<String>,
}

/// Why a file is not taken, each with what people may read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is of no type that is known here, or none that is allowed.
    NotAllowed(String),
    /// It is not what it says.
    Mismatch(String),
    /// It is damaged, or is two things at once.
    Malformed(&'static str),
    /// It would become too large.
    TooDense(&'static str),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let (code, detail) = match refusal {
            Refusal::NotAllowed(detail) => (&FILE_TYPE_NOT_ALLOWED, detail),
            Refusal::Mismatch(detail) => (&FILE_TYPE_MISMATCH, detail),
            Refusal::Malformed(detail) => (&FILE_MALFORMED, detail.to_owned()),
            Refusal::TooDense(detail) => (&FILE_TOO_DENSE, detail.to_owned()),
        };
        Self::new(code).with_detail(detail.clone()).with_field(FieldError::new("/file", code.code, detail))
    }
}

/// A failure to read what lies on our own disk, apart from what is wrong with it.
pub(crate) type Judged<T> = std::io::Result<std::result::Result<T, Refusal>>;

/// Returns the refusal in it from a function that judges.
macro_rules! accept {
    ($judged:expr) => {
        match $judged? {
            Ok(accepted) => accepted,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}
pub(crate) use accept;

/// Tells what a file is, and that it may be taken.
///
/// # Errors
/// `file_type_not_allowed`; `file_type_mismatch`; `file_malformed`; `file_too_dense`.
pub(crate) async fn examine(received: &Received, declared: &Declared, allowed: FileKinds) -> Result<FileType> {
    let (path, is_text, declared) = (received.path().to_owned(), received.is_text, declared.clone());
    let judged = tokio::task::spawn_blocking(move || judge(&path, is_text, &declared, allowed)).await.map_err(Error::internal)?;
    Ok(judged.map_err(disk_failed)??)
}

fn judge(path: &Path, is_text: bool, declared: &Declared, allowed: FileKinds) -> Judged<FileType> {
    let mut file = File::open(path)?;
    let found = accept!(sniff::sniff(&mut file, is_text, declared));
    if !allowed.contains(found.kind()) {
        let detail = format!("This is {}; what is taken here is {}.", found.words(), kind::words_of(allowed));
        return Ok(Err(Refusal::NotAllowed(detail)));
    }
    if let Err(refusal) = name::compare(found, declared) {
        return Ok(Err(refusal));
    }
    let room = path.parent().unwrap_or(path);
    accept!(sniff::look_inside(&mut file, found, room));
    Ok(Ok(found))
}

/// Which form of table a file is, as its content says; none where it is something else. CSV may be in any alphabet, so whatever is
/// nothing else is taken for it, and is found out row by row.
///
/// # Errors
/// `file_type_not_allowed`; `file_malformed`; `file_too_dense`.
pub(crate) async fn table_form(path: &Path, declared: &Declared) -> Result<Option<TableForm>> {
    let (path, declared) = (path.to_owned(), declared.clone());
    let judged = tokio::task::spawn_blocking(move || judge_table(&path, &declared)).await.map_err(Error::internal)?;
    Ok(judged.map_err(disk_failed)??)
}

fn judge_table(path: &Path, declared: &Declared) -> Judged<Option<TableForm>> {
    let mut file = File::open(path)?;
    match sniff::begins_as(&mut file)? {
        sniff::Beginning::Text => return Ok(Ok(Some(TableForm::Csv))),
        sniff::Beginning::Other => return Ok(Ok(None)),
        sniff::Beginning::Archive => {}
    }
    let found = accept!(sniff::sniff(&mut file, false, declared));
    if found != FileType::Xlsx {
        return Ok(Ok(None));
    }
    accept!(sniff::look_inside(&mut file, found, path.parent().unwrap_or(path)));
    Ok(Ok(Some(TableForm::Xlsx)))
}

/// Whether a name may be that of a file of this type.
pub(crate) fn fits_name(file_type: FileType, filename: &str) -> bool {
    name::compare(file_type, &Declared { filename: Some(filename.to_owned()), mime_type: None }).is_ok()
}
