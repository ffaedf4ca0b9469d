//! A file that is taken in and given out with nothing around it: `PUT /file` writes the body to the disk as it comes, `GET /file` reads it.
//! Nobody is asked who they are, nothing is counted, hashed or looked into.

use std::net::SocketAddr;
use std::path::PathBuf;

use actix_web::error::ErrorInternalServerError;
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{App, HttpResponse, HttpServer};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::Result;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the file lies
    #[arg(long)]
    file: PathBuf,
    /// Threads that answer
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

/// How much of the file is read at a time.
const PIECE: usize = 256 * 1024;

/// Serves until it is ended.
pub(crate) fn serve(options: Options) -> Result<()> {
    let address: SocketAddr = std::env::var("PELATIS_LISTEN").map_err(|_| "where is it to listen?")?.parse()?;
    let file = Data::new(options.file);
    let app = move || {
        App::new()
            .app_data(file.clone())
            .route("/health/live", web::get().to(HttpResponse::Ok))
            .route("/file", web::put().to(take_in))
            .route("/file", web::get().to(give_out))
    };
    actix_web::rt::System::new().block_on(HttpServer::new(app).workers(options.workers).bind(address)?.run())?;
    Ok(())
}

async fn take_in(path: Data<PathBuf>, mut body: Payload) -> actix_web::Result<HttpResponse> {
    // beside it, kept, and then in its place: as ours, so that nobody reads half a file and none is lost
    let beside = path.with_extension("part");
    let mut file = File::create(&beside).await?;
    while let Some(piece) = body.next().await {
        file.write_all(&piece.map_err(ErrorInternalServerError)?).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    fs::rename(&beside, path.as_ref()).await?;
    Ok(HttpResponse::Created().finish())
}

async fn give_out(path: Data<PathBuf>) -> actix_web::Result<HttpResponse> {
    let file = File::open(path.as_ref()).await?;
    let length = file.metadata().await?.len();
    let pieces = stream::try_unfold(file, async |mut file| {
        let mut piece = Vec::with_capacity(PIECE);
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
        Ok((read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(HttpResponse::Ok().no_chunking(length).streaming(pieces.map_err(|error: std::io::Error| ErrorInternalServerError(error))))
}
