//! `pelatis import csv`.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use clients::import::{ImportOptions, import_csv};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Caller, Cause, Error, TypedId as _};
use platform::csv_source::{Delimiter, Encoding, Options};
use platform::imports::ImportRunId;

use super::{Fault, configured, say};
use crate::config::Flags;
use crate::wiring;

/// Bring data in.
#[derive(Debug, Args)]
pub struct Import {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Clients with their contacts, from a CSV file. A second run of the same file changes nothing.
    Csv(Csv),
}

#[derive(Debug, Args)]
struct Csv {
    /// The file.
    file: PathBuf,
    /// The workspace, by slug or id; needed where there are several.
    #[arg(long)]
    workspace: Option<String>,
    /// The account that imports, by its address; the installation itself unless given.
    #[arg(long = "as")]
    account: Option<String>,
    /// The name under which the file's ids are unique.
    #[arg(long, default_value = "csv")]
    source: String,
    /// The encoding, such as utf-8 or windows-1253; found out unless given.
    #[arg(long)]
    encoding: Option<String>,
    /// The delimiter: comma, semicolon, tab or pipe; found out unless given.
    #[arg(long)]
    delimiter: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

impl Import {
    pub(super) async fn run(self) -> Result<(), Fault> {
        let Source::Csv(csv) = self.source;
        csv.run().await
    }
}

impl Csv {
    async fn run(self) -> Result<(), Fault> {
        let wrong = |name: &str| Error::invalid_field(format!("--{name}"), "unknown_value", "is not known");
        let mut options = Options::default();
        if let Some(encoding) = &self.encoding {
            options.encoding = encoding.parse::<Encoding>().map_err(|_| wrong("encoding"))?;
        }
        if let Some(delimiter) = &self.delimiter {
            options.delimiter = Some(delimiter.parse::<Delimiter>().map_err(|_| wrong("delimiter"))?);
        }
        let file = File::open(&self.file).map_err(Error::internal)?;
        let size = file.metadata().map_err(Error::internal)?.len();
        let config = configured(self.flags)?;
        let (store, auth) = wiring::open(&config).await?;
        let run: ImportRunId = store.runtime().id();
        let cause = Cause::Import(run.uuid());
        let caller = match &self.account {
            Some(email) => auth.account_caller(email, self.workspace.as_deref(), cause).await?,
            None => {
                let workspace = auth.workspace_named(self.workspace.as_deref()).await?;
                Caller::job(run.uuid(), Some(workspace), cause)
            }
        };
        let bar = ProgressBar::new(size);
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {elapsed} {msg}");
        bar.set_style(style.map_err(Error::internal)?);
        let options = ImportOptions { csv: options, source: self.source, file_name: self.file.display().to_string() };
        let on_issue = |issue: &platform::imports::ImportIssue| {
            let column = issue.column.as_deref().unwrap_or("-");
            bar.suspend(|| say(&format!("line {}, column {column}: {} ({})", issue.line, issue.reason, issue.code)));
        };
        let on_progress = |counts: platform::imports::ImportCounts| {
            bar.set_message(format!(
                "{} rows, {} new, {} changed, {} wrong",
                counts.rows_read, counts.created, counts.changed, counts.wrong
            ));
        };
        let reader = std::io::BufReader::with_capacity(1 << 16, bar.wrap_read(file));
        let (run, counts) = import_csv(&store, &Arc::new(caller), reader, &options, on_issue, on_progress).await?;
        bar.finish_and_clear();
        say(&format!(
            "{} rows read: {} created, {} changed, {} unchanged, {} wrong (import run {run})",
            counts.rows_read, counts.created, counts.changed, counts.unchanged, counts.wrong
        ));
        store.close().await;
        Ok(())
    }
}
