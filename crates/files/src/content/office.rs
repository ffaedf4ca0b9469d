//! Word and Excel as they were before 2007: a container that is a small file system.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use super::{FileType, Refusal};

/// What is in the container.
pub(super) fn type_of(file: &mut File) -> Result<FileType, Refusal> {
    let damaged = Refusal::Malformed("The Office file is damaged.");
    if file.seek(SeekFrom::Start(0)).is_err() {
        return Err(damaged);
    }
    let Ok(container) = cfb::CompoundFile::open(&mut *file) else { return Err(damaged) };
    let names = |name: &str| container.is_stream(name);
    match () {
        () if container.exists("/EncryptedPackage") => {
            Err(Refusal::NotAllowed("The Office file is locked with a password, so nothing can be known of it.".to_owned()))
        }
        () if names("/WordDocument") => Ok(FileType::Doc),
        () if names("/Workbook") || names("/Book") => Ok(FileType::Xls),
        () => Err(Refusal::NotAllowed("This is a container of Windows, and neither Word nor Excel.".to_owned())),
    }
}
