//! What is known of a person on its way out: one document, or an archive of it with the contents of their files.

use actix_web::http::header;
use actix_web::{HttpResponse, rt};
use files::files::{File, Readable};
use files::storage::Content;
use files::{FileId, Files};
use futures::TryStreamExt as _;
use kernel::{Caller, Error, Result};
use platform::archive::Archive;
use serde::Serialize;
use store::{Change, Conn};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::context::Context;
use crate::outflow::{Cut, Outflow, outflow};
use crate::problem::ApiResult;
use crate::query::named;

store::text_enum! {
    /// In what form it is told.
    pub(crate) enum PersonalForm {
        /// One JSON document, which names the files.
        Json = "json",
        /// A ZIP archive: that document, and the files.
        Zip = "zip",
    }
}

/// An archive of a person's data: `data.json`, and `files/{file_id}/{filename}` of each file that it names.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it names archives in the document")]
pub(crate) struct PersonalArchive(Vec<u8>);

impl PersonalForm {
    /// The form that the query string asks for, JSON unless it does.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong.
    pub(crate) fn asked(context: &Context) -> Result<Self> {
        let [format] = named(context.pairs()?, ["format"])?;
        match format.as_deref().map(str::parse) {
            None => Ok(Self::Json),
            Some(Ok(form)) => Ok(form),
            Some(Err(_)) => {
                Err(Error::invalid_field("?format", "unknown_value", format!("must be one of {}", Self::TEXTS.join(", "))))
            }
        }
    }

    /// What the journal is told.
    pub(crate) fn change(self, event: &'static str) -> Change {
        Change::plain().event(event).detail("format", self.as_str())
    }

    /// The contents that it needs.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn contents(self, conn: &mut Conn, caller: &Caller, files: &[File]) -> Result<Contents> {
        match self {
            Self::Json => Ok(Contents::default()),
            Self::Zip => {
                let ids: Vec<FileId> = files.iter().map(|file| file.id).collect();
                files::files::contents(conn, caller, &ids).await.map(Contents)
            }
        }
    }
}

/// Files whose contents are told, in the order of the archive.
#[derive(Default)]
pub(crate) struct Contents(Vec<(FileId, Readable)>);

/// Answers with what is known of somebody.
///
/// # Errors
/// `storage_unavailable` where the first of the files cannot be read.
pub(crate) async fn send(context: &Context, form: PersonalForm, data: &impl Serialize, contents: Contents) -> ApiResult {
    let document = serde_json::to_vec(data).map_err(|error| context.fail(Error::internal(error)))?;
    if form == PersonalForm::Json {
        return Ok(HttpResponse::Ok().content_type("application/json").body(document));
    }
    let files = context.state.files.clone();
    let mut left = contents.0.into_iter();
    // what is refused is refused before anything is sent
    let first = match left.next() {
        Some(file) => Some(Part::open(&files, file).await.map_err(|error| context.fail(error))?),
        None => None,
    };
    let today = context.state.store.runtime().now().date_naive();
    let (outflow, body) = outflow();
    let making = async move {
        let made = fill(&files, &outflow, document, first, left).await;
        if let Err(Cut::Failed(error)) = made {
            tracing::warn!(?error, "an archive of a person's data was cut off");
            outflow.fail(error).await;
        }
    };
    rt::spawn(context.state.answering.until(making));
    let mut response = HttpResponse::Ok();
    response
        .content_type("application/zip")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"personal-data-{today}.zip\"")))
        // it is compressed already
        .insert_header((header::CONTENT_ENCODING, "identity"));
    Ok(response.streaming(body))
}

/// A file that is being put into an archive.
struct Part {
    name: String,
    length: u64,
    content: Content,
}

impl Part {
    async fn open(files: &Files, (id, readable): (FileId, Readable)) -> Result<Self> {
        let content = readable.open(files, None).await?;
        // the id keeps two files of one name apart
        Ok(Self { name: format!("files/{id}/{}", readable.filename), length: readable.length, content })
    }
}

/// Makes the archive, piece by piece.
async fn fill(
    files: &Files,
    outflow: &Outflow,
    document: Vec<u8>,
    first: Option<Part>,
    left: impl Iterator<Item = (FileId, Readable)>,
) -> Result<(), Cut> {
    let mut archive = Archive::new();
    archive.begin("data.json", document.len() as u64)?;
    archive = give(archive, document.into(), outflow).await?;
    let (mut next, mut left) = (first, left);
    while let Some(mut part) = next {
        archive.begin(&part.name, part.length)?;
        while let Some(piece) = part.content.try_next().await? {
            archive = give(archive, piece, outflow).await?;
        }
        next = match left.next() {
            Some(file) => Some(Part::open(files, file).await?),
            None => None,
        };
    }
    outflow.give(archive.finish()?).await
}

/// Adds a piece, and gives on what is ready.
async fn give(mut archive: Archive, piece: bytes::Bytes, outflow: &Outflow) -> Result<Archive, Cut> {
    let write = move || {
        archive.write(&piece)?;
        let ready = archive.take();
        Ok::<_, Error>((archive, ready))
    };
    let (archive, ready) = spawn_blocking(write).await.map_err(Error::internal)??;
    outflow.give(ready).await?;
    Ok(archive)
}
