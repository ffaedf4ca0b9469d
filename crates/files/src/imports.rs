//! The files of imports: taken in as uploads are, kept beside them, and removed when the import is 30 days old. They are no attachments:
//! nobody lists or downloads them.

use std::fs;

use auth::Auth;
use kernel::{Caller, Error, FieldError, Result, TypedId as _, WorkspaceId};
use platform::imports::jobs::StageImport;
use platform::imports::{self, Fetched, Found, GivenReading, ImportRunId, Importer, Importers, StoredSource};
use platform::table::TableForm;
use store::UnitOfWork;
use store::jobs::schedule::When;
use store::jobs::{Handlers, JobContext};

use crate::content::{self, Declared};
use crate::errors::IMPORT_FILE_TYPE;
use crate::files::note_removal;
use crate::scanner;
use crate::service::Files;
use crate::spool::{self, Received};

store::job_kind! {
    /// Removes the files and the rows of imports that began 30 days ago or earlier. Those that are worked at stay, and what became of
    /// every import stays.
    pub struct ImportCleanup as "import_cleanup" on Maintenance {}
}

/// A file that is a table and may be stored.
#[derive(Debug)]
pub struct ExaminedTable {
    received: Received,
    /// Its form.
    pub form: TableForm,
    /// What was found at its beginning.
    pub found: Found,
}

/// Tells that a file is a table, and what is at its beginning.
///
/// # Errors
/// `import_file_type`; `file_malformed`; `file_too_dense`; `file_type_not_allowed`; `file_infected`; `scanner_unavailable`;
/// `validation_failed` with everything that is wrong with its header and with how it is said to be read.
pub async fn examine(
    files: &Files,
    received: Received,
    declared: &Declared,
    importer: &'static dyn Importer,
    given: &GivenReading,
) -> Result<ExaminedTable> {
    let form = match content::table_form(received.path(), declared).await? {
        Some(form) => form,
        None => {
            let detail = "This is neither CSV nor an Excel workbook of now (.xlsx).";
            let field = FieldError::new("/file", IMPORT_FILE_TYPE.code, detail);
            return Err(Error::new(&IMPORT_FILE_TYPE).with_detail(detail).with_field(field));
        }
    };
    if let Some(scanner) = &files.config().scanner {
        scanner::scan(scanner, received.path()).await?;
    }
    let (path, given) = (received.path().to_owned(), given.clone());
    let look = move || imports::look(fs::File::open(path).map_err(spool::disk_failed)?, form, importer, &given);
    let found = tokio::task::spawn_blocking(look).await.map_err(Error::internal)??;
    Ok(ExaminedTable { received, form, found })
}

/// A file of an import that is in its storage, and has no row yet.
#[derive(Clone, Debug)]
pub struct StoredTable {
    /// The id that the run is to have.
    pub id: ImportRunId,
    /// Where it lies.
    pub stored: StoredSource,
    /// Its form.
    pub form: TableForm,
    /// Its bytes.
    pub length: i64,
    /// What was found at its beginning.
    pub found: Found,
}

/// Puts the file of an import into the storage for new ones.
///
/// # Errors
/// `storage_unavailable`; `storage_full`.
pub async fn keep(files: &Files, workspace: WorkspaceId, examined: ExaminedTable) -> Result<StoredTable> {
    let runtime = files.store().runtime();
    let id: ImportRunId = runtime.id();
    let (ending, mime_type) = match examined.form {
        TableForm::Csv => ("csv", "text/csv"),
        TableForm::Xlsx => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    };
    let key = format!("{workspace}/imports/{id}/{}.{ending}", runtime.uuid());
    let storage = files.storages().for_new()?;
    storage.keep(examined.received.path(), &key, mime_type).await?;
    Ok(StoredTable {
        id,
        stored: StoredSource { bucket: storage.name.clone(), key },
        form: examined.form,
        length: i64::try_from(examined.received.length).map_err(Error::internal)?,
        found: examined.found,
    })
}

/// Takes back a file that got no run. One that cannot be removed now is found by the clean-up.
pub async fn take_back(files: &Files, stored: &StoredSource) {
    let removed = match files.storages().of(&stored.bucket) {
        Ok(storage) => storage.remove(&stored.key).await,
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        tracing::warn!(?error, "the file of an import that was not made is left to the clean-up");
    }
}

/// Deletes a run for ever, with its rows and its file. What it has written stays.
///
/// # Errors
/// As [`imports::purge`].
pub async fn purge(uow: &mut UnitOfWork, id: ImportRunId, seen: Option<i64>) -> Result<()> {
    match imports::purge(uow, id, seen).await? {
        Some(stored) => note_removal(uow, id.uuid(), &stored.bucket, &stored.key).await,
        None => Ok(()),
    }
}

/// Registers the jobs of imports.
pub fn handle_jobs(handlers: &mut Handlers, files: &Files, auth: &Auth, importers: Importers) {
    imports::jobs::handle(handlers, auth, importers);
    let (files, auth) = (files.clone(), auth.clone());
    handlers.on(move |context: JobContext, StageImport { run, round }| {
        let (files, auth) = (files.clone(), auth.clone());
        async move {
            let Some(source) = imports::to_stage(&context, run, round).await? else { return Ok(()) };
            let fetched = spool::fetch(&files, &source.bucket, &source.key).await;
            let (lying, fetched) = match fetched {
                Ok((lying, file)) => (Some(lying), Ok(Fetched { file, scratch: files.config().spool.clone() })),
                Err(error) => (None, Err(error)),
            };
            let staged = imports::stage(&context, &auth, importers, run, round, fetched).await;
            drop(lying);
            staged
        }
    });
    handlers.on(async |context: JobContext, ImportCleanup {}| {
        imports::clear_old(&context, async |uow, run, stored| note_removal(uow, run.uuid(), &stored.bucket, &stored.key).await)
            .await
    });
    handlers.recurring_in_workspaces("import-cleanup", When::Daily(3, 30), ImportCleanup {});
}

/// Which of these objects belong to an import, so that they are no orphans.
pub(crate) async fn known(
    files: &Files,
    caller: &Caller,
    workspace: WorkspaceId,
    bucket: &str,
    keys: &[String],
) -> Result<Vec<String>> {
    let mut reader = files.store().reader(caller).await?;
    let known = imports::keys_among(&mut reader, workspace, bucket, keys).await?;
    reader.close().await?;
    Ok(known)
}
