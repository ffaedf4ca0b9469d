//! What is known of a person on its way out: one document, or an archive of it with the contents of their files.

use actix_web::http::header;
use actix_web::{HttpResponse, rt};
use bytes::Bytes;
use files::files::{File, Readable};
use files::storage::Content;
use files::{FileId, Files};
use futures::TryStreamExt as _;
use kernel::{Caller, Error, Result};
use platform::archive::Archive;
use serde::Serialize;
use store::{Action, Change, Conn, UnitOfWork};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use uuid::Uuid;

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

/// An archive of a person's data: `data.json`, and `files/{file_id}/{filename}` of each file that it names. Those whose content is lost stand in
/// `missing.json`.
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

/// Somebody of whom is told what is known.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    /// `contact` or `client`.
    pub table: &'static str,
    /// Which one.
    pub id: Uuid,
}

impl Person {
    /// Journals that it is told. An archive leaves piece by piece, so that its end is another entry.
    pub(crate) fn note_begin(self, uow: &mut UnitOfWork, form: PersonalForm) {
        let event = match (self.table, form) {
            ("contact", PersonalForm::Json) => "contact.exported",
            ("contact", PersonalForm::Zip) => "contact.export_started",
            (_, PersonalForm::Json) => "client.exported",
            (_, PersonalForm::Zip) => "client.export_started",
        };
        self.record(uow, Change::plain().event(event).detail("format", form.as_str()));
    }

    /// Journals that an archive has ended: how many files have left, which were gone from the storage, and whether these were all.
    fn note_end(self, uow: &mut UnitOfWork, told: &Told, is_whole: bool) {
        let event = if self.table == "contact" { "contact.exported" } else { "client.exported" };
        let missing: Vec<String> = told.missing.iter().map(|gone| gone.file_id.to_string()).collect();
        let change = Change::plain().event(event).detail("format", PersonalForm::Zip.as_str());
        self.record(uow, change.detail("files", told.files).detail("missing", missing).detail("is_whole", is_whole));
    }

    fn record(self, uow: &mut UnitOfWork, change: Change) {
        uow.record(Action::Export, self.table, Some(self.id), change);
    }

    /// Answers with what is known of somebody.
    ///
    /// # Errors
    /// `storage_unavailable` where the first of the files cannot be read.
    pub(crate) async fn send(
        self,
        context: &Context,
        form: PersonalForm,
        data: &impl Serialize,
        contents: Contents,
    ) -> ApiResult {
        let document = serde_json::to_vec(data).map_err(|error| context.fail(Error::internal(error)))?;
        if form == PersonalForm::Json {
            return Ok(HttpResponse::Ok().content_type("application/json").body(document));
        }
        let mut making = Making { files: context.state.files.clone(), left: contents.0.into_iter(), told: Told::default() };
        // what is refused is refused before anything is sent
        let first = making.next().await.map_err(|error| context.fail(error))?;
        let today = context.state.store.runtime().now().date_naive();
        let (outflow, body) = outflow();
        let running = context.clone();
        rt::spawn(context.state.answering.until(async move { self.run(running, making, document, first, outflow).await }));
        let mut response = HttpResponse::Ok();
        response
            .content_type("application/zip")
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"personal-data-{today}.zip\"")))
            // it is compressed already
            .insert_header((header::CONTENT_ENCODING, "identity"));
        Ok(response.streaming(body))
    }

    /// Makes the archive. The journal has its end before the last piece is sent.
    async fn run(self, context: Context, mut making: Making, document: Vec<u8>, first: Option<Part>, outflow: Outflow) {
        let made = match making.fill(&outflow, document, first).await {
            Ok(_) if outflow.is_closed() => Err(Cut::BrokenOff),
            Ok(rest) => match self.end(&context, &making.told, true).await {
                // whoever goes away now has been told all but the end
                Ok(()) => outflow.give(rest).await.or(Ok(())),
                Err(error) => Err(Cut::Failed(error)),
            },
            Err(cut) => Err(cut),
        };
        let Err(cut) = made else { return };
        if let Cut::Failed(error) = cut {
            tracing::warn!(?error, "an archive of a person's data was cut off");
            outflow.fail(error).await;
        }
        if let Err(error) = self.end(&context, &making.told, false).await {
            tracing::warn!(?error, "how far an archive came was not journaled");
        }
    }

    async fn end(self, context: &Context, told: &Told, is_whole: bool) -> Result<()> {
        let noted = async |uow: &mut UnitOfWork| {
            self.note_end(uow, told, is_whole);
            Ok(())
        };
        context.state.store.write(context.caller(), noted).await
    }
}

/// What has left.
#[derive(Default)]
struct Told {
    files: u64,
    missing: Vec<Gone>,
}

/// A file whose content is in no storage any more. The archive names them in `missing.json`.
#[derive(Serialize)]
struct Gone {
    file_id: FileId,
    filename: String,
}

/// A file that is being put into an archive.
struct Part {
    name: String,
    length: u64,
    content: Content,
}

/// An archive in the making.
struct Making {
    files: Files,
    left: std::vec::IntoIter<(FileId, Readable)>,
    told: Told,
}

impl Making {
    /// The next file that is there.
    async fn next(&mut self) -> Result<Option<Part>> {
        for (id, readable) in self.left.by_ref() {
            if readable.is_there(&self.files).await? {
                let content = readable.open(&self.files, None).await?;
                // the id keeps two files of one name apart
                return Ok(Some(Part { name: format!("files/{id}/{}", readable.filename), length: readable.length, content }));
            }
            tracing::warn!(file = %id, "a file is in its storage no more");
            self.told.missing.push(Gone { file_id: id, filename: readable.filename });
        }
        Ok(None)
    }

    /// Makes it piece by piece, and returns its end.
    async fn fill(&mut self, outflow: &Outflow, document: Vec<u8>, first: Option<Part>) -> Result<Vec<u8>, Cut> {
        let mut archive = Archive::new();
        archive.begin("data.json", document.len() as u64)?;
        archive = give(archive, document.into(), outflow).await?;
        let mut next = first;
        while let Some(mut part) = next {
            archive.begin(&part.name, part.length)?;
            while let Some(piece) = part.content.try_next().await? {
                archive = give(archive, piece, outflow).await?;
            }
            self.told.files += 1;
            next = self.next().await?;
        }
        if !self.told.missing.is_empty() {
            let missing = serde_json::to_vec(&self.told.missing).map_err(Error::internal)?;
            archive.begin("missing.json", missing.len() as u64)?;
            archive = give(archive, missing.into(), outflow).await?;
        }
        Ok(archive.finish()?)
    }
}

/// Adds a piece, and gives on what is ready.
async fn give(mut archive: Archive, piece: Bytes, outflow: &Outflow) -> Result<Archive, Cut> {
    let write = move || {
        archive.write(&piece)?;
        let ready = archive.take();
        Ok::<_, Error>((archive, ready))
    };
    let (archive, ready) = spawn_blocking(write).await.map_err(Error::internal)??;
    outflow.give(ready).await?;
    Ok(archive)
}
