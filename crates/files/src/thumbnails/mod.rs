//! Thumbnails of images. The upload says that one is to be made, and a job makes it, beside the file's object.
//!
//! Its key follows from the file's, so a job that runs again puts the same in the same place. It belongs to the file: it is backed up with
//! it, and its object goes when the file is purged. Where none can be made, that is noted, and the job has done its work.

mod picture;

use std::io::BufReader;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Caller, Error, Result, TypedId as _, WorkspaceId};
use store::jobs::{Follower, Handlers, JobContext, JobKind as _, JobRow};
use store::query::{Expr, ExprTrait, Query};
use store::{Conn, Field as _, Record as _, UnitOfWork};
use tokio::sync::Semaphore;

use crate::content::mime_of_key;
use crate::errors::{NO_THUMBNAIL, THUMBNAIL_PENDING};
use crate::files::{Readable, get_row, note_removal};
use crate::rows::{FileId, FileRow, Thumbnail};
use crate::service::Files;
use crate::spool;

store::job_kind! {
    /// Makes the thumbnail of an image.
    pub struct MakeThumbnail as "make_thumbnail" on Documents {
        /// The image.
        file: FileId,
    }
}

/// A thumbnail that is in its storage, and not noted yet.
struct Made {
    key: String,
    length: i64,
    sha256: String,
}

/// The thumbnail of a file that the caller may see.
///
/// # Errors
/// `not_found`; `thumbnail_pending`; `no_thumbnail`.
pub async fn thumbnail(conn: &mut Conn, caller: &Caller, files: &Files, id: FileId) -> Result<Readable> {
    let row = get_row(conn, caller, files, id).await?;
    let (key, length, sha256) = match (row.thumbnail, row.thumbnail_key, row.thumbnail_bytes, row.thumbnail_sha256) {
        (Thumbnail::Ready, Some(key), Some(length), Some(sha256)) => (key, length, sha256),
        (Thumbnail::Pending, ..) => return Err(Error::new(&THUMBNAIL_PENDING).with_detail("Ask again in a moment.")),
        _ => return Err(Error::new(&NO_THUMBNAIL).with_detail("The file is no image, or one that cannot be read.")),
    };
    let stem = row.filename.rsplit_once('.').map_or(row.filename.as_str(), |(stem, _)| stem);
    let ending = key.rsplit_once('.').map_or("", |(_, ending)| ending);
    Ok(Readable {
        filename: format!("{stem}.{ending}"),
        mime_type: mime_of_key(&key).to_owned(),
        length: u64::try_from(length).map_err(Error::internal)?,
        sha256,
        may_be_shown: true,
        bucket: row.storage_bucket,
        key,
    })
}

/// Registers the job. A worker opens one picture at a time, because each takes hundreds of megabytes where it is large.
pub(crate) fn handle(files: &Files, handlers: &mut Handlers) {
    let (files, one) = (files.clone(), Arc::new(Semaphore::new(1)));
    handlers.on(move |context: JobContext, MakeThumbnail { file }| {
        let (files, one) = (files.clone(), one.clone());
        async move {
            // one that was purged needs none, and one that has one was done before
            let Some(row) = without(&context, file).await? else { return Ok(()) };
            let making = async {
                let _alone = one.acquire().await.map_err(Error::internal)?;
                context.go_on()?;
                make(&files, &row).await
            };
            let made = making.await;
            if made.is_err() && (context.is_last_attempt() || context.is_cancelled()) {
                // nobody will make it, unless the job is run again
                context.write(async |uow| note(uow, &row, None).await).await?;
            }
            let made = made?;
            context.complete(async |uow| note(uow, &row, made.as_ref()).await).await
        }
    });
}

/// A file whose thumbnail was not made has none, unless the job is run again.
#[derive(Debug)]
pub struct FollowThumbnails;

#[async_trait]
impl Follower for FollowThumbnails {
    fn kind(&self) -> &'static str {
        MakeThumbnail::KIND
    }

    async fn ended(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        let MakeThumbnail { file } = job.given()?;
        let row = uow.locked::<FileRow>(of_file(uow.workspace()?, file)).await?;
        match row.filter(|row| row.thumbnail == Thumbnail::Pending) {
            Some(row) => note(uow, &row, None).await,
            None => Ok(()),
        }
    }
}

async fn without(context: &JobContext, id: FileId) -> Result<Option<FileRow>> {
    let mut reader = context.store().reader(context.caller()).await?;
    let row = reader.one::<FileRow>(&of_file(context.caller().workspace()?, id)).await?;
    reader.close().await?;
    Ok(row.filter(|row| row.thumbnail != Thumbnail::Ready))
}

fn of_file(workspace: WorkspaceId, id: FileId) -> store::query::SelectStatement {
    let mut select = FileRow::select();
    select.and_where(Expr::col(("file", "workspace_id")).eq(workspace.uuid())).and_where(Expr::col(("file", "id")).eq(id.uuid()));
    select
}

/// Makes the thumbnail and puts it beside the file, in the storage that the file is in.
async fn make(files: &Files, row: &FileRow) -> Result<Option<Made>> {
    let (lying, file) = spool::fetch(files, &row.storage_bucket, &row.storage_key).await?;
    let shrunk = tokio::task::spawn_blocking(move || picture::shrink(BufReader::new(file))).await;
    drop(lying);
    let small = match shrunk {
        Ok(small) => small,
        // a library that panics over a picture will do so again
        Err(error) if error.is_panic() => None,
        Err(error) => return Err(Error::internal(error)),
    };
    let Some(small) = small else { return Ok(None) };
    let stem = row.storage_key.rsplit_once('.').map_or(row.storage_key.as_str(), |(stem, _)| stem);
    let key = format!("{stem}.thumbnail.{}", small.ending);
    let mut spool = files.receive().await?;
    spool.write(&small.bytes).await?;
    let received = spool.finish().await?;
    files.storages().of(&row.storage_bucket)?.keep(received.path(), &key, mime_of_key(&key)).await?;
    let length = i64::try_from(received.length).map_err(Error::internal)?;
    Ok(Some(Made { key, length, sha256: received.sha256.clone() }))
}

/// Notes what became of it. It is no change of the file: nobody did it, and who has the file before them may still change it.
async fn note(uow: &mut UnitOfWork, row: &FileRow, made: Option<&Made>) -> Result<()> {
    let still_there = uow.locked::<FileRow>(of_file(uow.workspace()?, row.id)).await?;
    if still_there.is_none() {
        // purged meanwhile, so that nobody else knows of the object
        if let Some(made) = made {
            let id: FileId = uow.id();
            note_removal(uow, id.uuid(), &row.storage_bucket, &made.key).await?;
        }
        return Ok(());
    }
    let state = if made.is_some() { Thumbnail::Ready } else { Thumbnail::None };
    let mut update = Query::update();
    update
        .table("file")
        .value("thumbnail", state.value())
        .value("thumbnail_key", made.map(|made| made.key.clone()).value())
        .value("thumbnail_bytes", made.map(|made| made.length).value())
        .value("thumbnail_sha256", made.map(|made| made.sha256.clone()).value())
        .and_where(Expr::col("id").eq(row.id.uuid()));
    uow.execute(&update).await.map(|_| ())
}
