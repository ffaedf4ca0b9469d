//! A folder of files that people can read: where no server is configured.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Delivery, Problem};
use crate::letter::MailKind;
use crate::messages::WaitingMail;
use crate::rows::MailRow;

/// Mails of a folder that are shown.
const SHOWN: usize = 500;

pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Puts a mail there, whole or not at all. An attempt more writes the same file.
    pub async fn deliver(&self, mail: &MailRow, message: Vec<u8>) -> Delivery {
        let time = mail.created_at.format("%Y-%m-%dT%H%M%SZ");
        let name = format!("{time}-{}-{}.eml", mail.kind.as_str(), mail.id);
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || put(&path, &name, &message)).await {
            Ok(Ok(())) => Delivery::Sent,
            Ok(Err(error)) => Delivery::NotNow(failed(&error)),
            Err(_) => Delivery::NotNow(Problem::new("the file was not written")),
        }
    }

    /// What lies there, oldest first, and of much the newest. A file that cannot be read as a mail is left out.
    pub async fn all(&self) -> io::Result<Vec<WaitingMail>> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || all(&path)).await.map_err(io::Error::other)?
    }

    /// Whether files can be put there.
    pub async fn ping(&self) -> Result<(), Problem> {
        let path = self.path.clone();
        let tried = tokio::task::spawn_blocking(move || {
            make(&path)?;
            // a byte, because a file of none can be written to a disk that is full
            write(&path.join(".writable"), b"x")
        });
        match tried.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(Problem::new("the folder was not tried")),
        }
    }
}

fn all(folder: &Path) -> io::Result<Vec<WaitingMail>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    names.retain(|name| name.extension().is_some_and(|ending| ending == "eml"));
    names.sort();
    let newest = names.split_off(names.len().saturating_sub(SHOWN));
    let read = |path: PathBuf| -> io::Result<Option<WaitingMail>> { Ok(shown(&path, &std::fs::read(&path)?)) };
    newest.into_iter().filter_map(|path| read(path).transpose()).collect()
}

fn shown(path: &Path, content: &[u8]) -> Option<WaitingMail> {
    let message = mail_parser::MessageParser::default().parse(content)?;
    let name = path.file_name()?.to_str()?;
    let kind = MailKind::ALL.into_iter().find(|kind| name.contains(&format!("-{}-", kind.as_str())))?;
    Some(WaitingMail {
        created_at: kernel::DateTime::from_timestamp(message.date()?.to_timestamp(), 0)?,
        kind,
        to: message.to()?.first()?.address()?.to_owned(),
        subject: message.subject()?.to_owned(),
        body: message.body_text(0)?.into_owned(),
        last_problem: None,
    })
}

fn failed(error: &io::Error) -> Problem {
    // the kind alone: a path is no secret, and nobody outside needs it
    Problem { brief: format!("the folder cannot be written to ({})", error.kind()), said: Some(error.to_string()) }
}

fn make(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn put(folder: &Path, name: &str, message: &[u8]) -> io::Result<()> {
    make(folder)?;
    let part = folder.join(format!(".{name}.part"));
    let written = write(&part, message).and_then(|()| std::fs::rename(&part, folder.join(name)));
    if written.is_err() {
        // half a mail is of no use, and takes room that a full disk has none of; the next attempt writes over what stays
        let _ = std::fs::remove_file(&part);
    }
    written?;
    std::fs::File::open(folder)?.sync_all()
}

/// Writes a file that only its owner reads: it may hold a link that opens an account.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
