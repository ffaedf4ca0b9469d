//! Uploads: a body of several parts, one of which is a file of any length, streamed and never whole in memory.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use files::files::{File, UploadFile};
use files::imports::StoredTable;
use files::{Received, Spool, Stored, content};
use futures::TryStreamExt as _;
use kernel::error::{Faults, codes};
use kernel::{Error, Kind, Result};
use platform::imports::{self, GivenReading, Importer, NewImport, StartImport};
use serde_json::{Map, Value};
use store::{Once, Outcome, UnitOfWork};
use tokio::time::Instant;

use super::{Context, again};
use crate::answer::{Answer, replay};
use crate::body::parse_value;
use crate::problem::ApiResult;

/// The part that is the file.
const FILE: &str = "file";
/// Bytes of any other part at most.
const MOST_TEXT: usize = 64 * 1024;
/// Parts at most.
const MOST_PARTS: usize = 50;
/// Bytes a second below which a body is given up, once it has had the time of any other request.
const SLOWEST: u64 = 32 * 1024;

/// A body of several parts that was not read yet.
pub struct Parts(Multipart);

impl FromRequest for Parts {
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self(Multipart::new(request.headers(), payload.take()))))
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Parts")
    }
}

/// How fast a body must come: a slow line is waited for, one that stands still is not.
struct Pace {
    began: Instant,
    grace: Duration,
    bytes: u64,
}

impl Pace {
    async fn within<T>(&self, next: impl Future<Output = Result<T, MultipartError>>) -> Result<T> {
        let until = self.began + self.grace + Duration::from_secs(self.bytes / SLOWEST);
        match tokio::time::timeout_at(until, next).await {
            Ok(next) => next.map_err(unreadable),
            Err(_) => Err(Error::new(&codes::UNAVAILABLE).with_detail("It took too long.").with_retry_after(5)),
        }
    }
}

fn unreadable(error: MultipartError) -> Error {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible
        | MultipartError::BoundaryMissing => {
            Error::new(&codes::UNSUPPORTED_MEDIA_TYPE).with_detail("Send multipart/form-data with a boundary.")
        }
        error => {
            Error::new(&codes::UNREADABLE).with_detail("The body was cut off, or is not in parts.").with_source(error.to_string())
        }
    }
}

/// What was read.
#[derive(Default)]
struct Read {
    members: Map<String, Value>,
    faults: Faults,
    file: Option<Received>,
    declared: content::Declared,
}

impl Read {
    /// What tells this upload from another with the same idempotency key.
    fn fingerprint(&self) -> Vec<u8> {
        let digest = self.file.as_ref().map(|file| file.sha256.as_str());
        let mut members = self.members.clone();
        members.sort_keys();
        let name = (&self.declared.filename, &self.declared.mime_type);
        serde_json::to_vec(&(digest, members, name)).unwrap_or_default()
    }
}

impl Context {
    /// Takes in a file and makes a record of it. All of it or nothing.
    ///
    /// # Errors
    /// What is wrong with the body, all of it; what storage and work return.
    pub async fn upload(
        &self,
        parts: Parts,
        work: impl AsyncFn(&mut UnitOfWork, &UploadFile, &str, &Stored) -> Result<File>,
    ) -> ApiResult {
        let begun = self.no_query().and_then(|()| self.idempotency_key().map(|_| ()));
        begun.map_err(|error| self.fail(error))?;
        let read = self.read_parts(parts.0).await.map_err(|error| self.fail(error))?;
        // the key can be compared only when all has come: what is refused before is not kept, and has done nothing
        let once = self.once_with(&read.fingerprint()).map_err(|error| self.fail(error))?;
        let filename = read.declared.filename.clone().unwrap_or_default();
        let (input, stored) = match (self.take_in(read).await, &once) {
            (Ok(taken), _) => taken,
            (Err(error), Some(once)) if self.kept_failure(&error).is_some() => {
                return self.write_once(self.caller(), once, async |_| Err(again(&error))).await;
            }
            (Err(error), _) => return Err(self.fail(error)),
        };
        let make = async |uow: &mut UnitOfWork| {
            let file = work(uow, &input, &filename, &stored).await?;
            Ok(Answer::created(format!("/v1/files/{}", file.id), &file)?.version(file.version))
        };
        self.made(once.as_ref(), make, async || self.state.files.take_back(&stored).await).await
    }

    /// Takes in the file of an import and begins it. All of it or nothing.
    ///
    /// # Errors
    /// What is wrong with the body, all of it; what the storage returns.
    pub async fn start_import(&self, parts: Parts, importer: &'static dyn Importer) -> ApiResult {
        let begun = self.no_query().and_then(|()| self.idempotency_key().map(|_| ()));
        begun.map_err(|error| self.fail(error))?;
        let read = self.read_parts(parts.0).await.map_err(|error| self.fail(error))?;
        let once = self.once_with(&read.fingerprint()).map_err(|error| self.fail(error))?;
        let filename = read.declared.filename.clone().unwrap_or_else(|| "import".to_owned());
        let (input, table) = match (self.take_in_table(read, importer).await, &once) {
            (Ok(taken), _) => taken,
            (Err(error), Some(once)) if self.kept_failure(&error).is_some() => {
                return self.write_once(self.caller(), once, async |_| Err(again(&error))).await;
            }
            (Err(error), _) => return Err(self.fail(error)),
        };
        let new = NewImport {
            id: table.id,
            file_name: filename,
            form: table.form,
            length: table.length,
            stored: table.stored,
            source: input.source.clone(),
            given: given(&input),
            found: table.found,
        };
        let make = async |uow: &mut UnitOfWork| {
            let run = imports::begin(uow, importer, &new).await?;
            Ok(Answer::accepted(format!("/v1/imports/{}", run.id), &run)?.version(run.version))
        };
        self.made(once.as_ref(), make, async || ::files::imports::take_back(&self.state.files, &new.stored).await).await
    }

    /// Makes the record of what was stored, once for an idempotency key; where none comes of it, what was stored is taken back.
    async fn made(
        &self,
        once: Option<&Once>,
        make: impl AsyncFnMut(&mut UnitOfWork) -> Result<Answer>,
        take_back: impl AsyncFnOnce(),
    ) -> ApiResult {
        let made = match (self.turn().await, once) {
            (Ok(_turn), None) => self.state.store.write(self.caller(), make).await.map(Outcome::Done),
            (Ok(_turn), Some(once)) => {
                let keep = |result: &Result<Answer>| self.kept(result);
                self.state.store.write_once(self.caller(), once, keep, make).await
            }
            (Err(error), _) => Err(error),
        };
        match made {
            Ok(Outcome::Done(answer)) => Ok(answer.respond()),
            Ok(Outcome::Replayed(kept)) => {
                take_back().await;
                Ok(replay(kept))
            }
            Err(error) => {
                // where it is not known whether the row is there, the object stays: the clean-up looks later
                if !matches!(error.kind(), Kind::Internal | Kind::Unavailable | Kind::StorageFull) {
                    take_back().await;
                }
                Err(self.fail(error))
            }
        }
    }

    /// Reads all parts: the file to the disk, the others as text.
    async fn read_parts(&self, mut parts: Multipart) -> Result<Read> {
        let most = self.state.files.config().most_bytes;
        let declared =
            self.request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let around = (MOST_TEXT * MOST_PARTS) as u64;
        if declared.is_some_and(|length| length > most.saturating_add(around)) {
            return Err(Error::new(&codes::TOO_LARGE).with_detail(format!("A file may have at most {most} bytes.")));
        }
        let mut pace = Pace { began: Instant::now(), grace: self.state.config.request_timeout, bytes: 0 };
        let mut read = Read::default();
        let mut count = 0;
        while let Some(mut part) = pace.within(parts.try_next()).await? {
            count += 1;
            if count > MOST_PARTS {
                return Err(Error::new(&codes::TOO_LARGE).with_detail("The body has too many parts."));
            }
            let name = part.name().unwrap_or_default().to_owned();
            let is_new = !read.members.contains_key(&name);
            if name == FILE && is_new {
                read.declared.filename = filename(&part).map(|name| content::clean(&name)).filter(|name| !name.is_empty());
                read.declared.mime_type = part.content_type().map(|mime| mime.essence_str().to_ascii_lowercase());
                let mut spool = self.state.files.receive().await?;
                receive(&mut part, &mut pace, &mut spool).await?;
                read.file = Some(spool.finish().await?);
                read.members.insert(name, Value::String(String::new()));
                continue;
            }
            let value = text(&mut part, &mut pace, &name, &mut read.faults).await?;
            if is_new {
                read.members.insert(name, value);
            } else {
                read.faults.add(format!("/{name}"), "repeated", "is there twice");
            }
        }
        Ok(read)
    }

    /// Examines what was read, finds everything that is wrong, and stores it if nothing is.
    async fn take_in(&self, read: Read) -> Result<(UploadFile, Stored)> {
        let Read { mut members, mut faults, file, declared } = read;
        // a form sends what nobody filled in as empty
        members.retain(|name, value| name == FILE || value.as_str() != Some(""));
        let input = faults.keep(parse_value::<UploadFile>(&self.state.schemas, Value::Object(members)))?;
        let files = &self.state.files;
        let caller = self.caller();
        let settings = self.read_inner(async |conn, caller| auth::workspaces::settings(conn, caller).await).await?;
        let place = match &input {
            Some(input) => {
                let checked = self.read_inner(async |conn, caller| ::files::files::check(conn, caller, files, input).await).await;
                faults.keep(checked)?
            }
            None => None,
        };
        let on = place.as_ref().and_then(Option::as_ref).map(|(rel_type, _)| rel_type.as_str());
        let taken = files.taken_on(on, settings.file_kinds);
        let examined = match file {
            Some(file) => match files.examine(file, &declared, taken).await {
                Ok(examined) => Some(examined),
                // alone it is told by its own code
                Err(error) if faults.is_empty() => return Err(error),
                Err(error) => faults.keep(Err(error))?,
            },
            None => None,
        };
        faults.into_result()?;
        let all = input.zip(place).zip(examined);
        let ((input, place), examined) = all.ok_or_else(|| Error::internal("an upload without a file passed its schema"))?;
        let on = place.as_ref().map(|(rel_type, rel_id)| (rel_type.as_str(), *rel_id));
        let stored = files.store_content(caller.workspace()?, on, examined).await?;
        Ok((input, stored))
    }
}

/// How the file of an import is to be read.
fn given(input: &StartImport) -> GivenReading {
    GivenReading {
        encoding: input.encoding.clone(),
        delimiter: input.delimiter.clone(),
        sheet: input.sheet.clone(),
        mapping: input.mapping.clone(),
    }
}

impl Context {
    /// Examines the file of an import, finds everything that is wrong, and stores it if nothing is.
    async fn take_in_table(&self, read: Read, importer: &'static dyn Importer) -> Result<(StartImport, StoredTable)> {
        let Read { mut members, mut faults, file, declared } = read;
        // a form sends what nobody filled in as empty
        members.retain(|name, value| name == FILE || value.as_str() != Some(""));
        if let Some(mapping) = members.get_mut("mapping") {
            match mapping.as_str().map(serde_json::from_str::<Value>) {
                Some(Ok(read)) => *mapping = read,
                _ => {
                    faults.add("/mapping", "invalid", "must be JSON, such as {\"Company\": \"name\"}");
                    *mapping = Value::Null;
                }
            }
        }
        imports::check_start(self.caller(), importer)?;
        let input = faults.keep(parse_value::<StartImport>(&self.state.schemas, Value::Object(members)))?;
        let files = &self.state.files;
        let reading = input.as_ref().map(given).unwrap_or_default();
        let examined = match file {
            Some(file) => match ::files::imports::examine(files, file, &declared, importer, &reading).await {
                Ok(examined) => Some(examined),
                // alone it is told by its own code
                Err(error) if faults.is_empty() => return Err(error),
                Err(error) => faults.keep(Err(error))?,
            },
            None => None,
        };
        faults.into_result()?;
        let all = input.zip(examined);
        let (input, examined) = all.ok_or_else(|| Error::internal("an import without a file passed its schema"))?;
        let table = ::files::imports::keep(files, self.caller().workspace()?, examined).await?;
        Ok((input, table))
    }
}

/// The name that is sent with a part: in its extended form (RFC 8187) where there is one.
fn filename(part: &Field) -> Option<String> {
    let disposition = part.content_disposition()?;
    let extended = disposition.get_filename_ext().and_then(|name| String::from_utf8(name.value.clone()).ok());
    extended.or_else(|| disposition.get_filename().map(str::to_owned))
}

async fn receive(part: &mut Field, pace: &mut Pace, spool: &mut Spool) -> Result<()> {
    while let Some(bytes) = pace.within(part.try_next()).await? {
        pace.bytes += bytes.len() as u64;
        spool.write(&bytes).await?;
    }
    Ok(())
}

/// A part that is text; `true` and `false` for what they mean.
async fn text(part: &mut Field, pace: &mut Pace, name: &str, faults: &mut Faults) -> Result<Value> {
    let mut bytes = Vec::new();
    while let Some(piece) = pace.within(part.try_next()).await? {
        pace.bytes += piece.len() as u64;
        if bytes.len() + piece.len() > MOST_TEXT {
            return Err(Error::new(&codes::TOO_LARGE).with_detail(format!("A part may have at most {MOST_TEXT} bytes.")));
        }
        bytes.extend_from_slice(&piece);
    }
    let at = format!("/{name}");
    let Ok(text) = String::from_utf8(bytes) else {
        faults.add(at, "invalid", "must be UTF-8");
        return Ok(Value::String(String::new()));
    };
    if text.contains('\0') {
        faults.add(at, "nul_character", "must not contain the NUL character");
        return Ok(Value::String(String::new()));
    }
    Ok(match (name, text.as_str()) {
        ("visible_to_client", "true") => Value::Bool(true),
        ("visible_to_client", "false") => Value::Bool(false),
        _ => Value::String(text),
    })
}
