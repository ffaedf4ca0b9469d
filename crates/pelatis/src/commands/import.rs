//! `pelatis import csv` and `pelatis import staff`.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use auth::Auth;
use auth::staff::StaffRow;
use clap::{Args, Subcommand};
use clients::import::{ImportOptions, import_csv};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Caller, Cause, Error, TypedId as _};
use platform::csv_source::{Delimiter, Encoding, NamedRow, Options, read_named};
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
    /// Staff accounts with the hashes of their passwords, from a CSV file with the columns email, given_name, family_name, role and
    /// password_hash. Who is a member already is left alone.
    Staff(Staff),
}

#[derive(Debug, Args)]
struct Staff {
    /// The file.
    file: PathBuf,
    /// The workspace, by slug or id; needed where there are several.
    #[arg(long)]
    workspace: Option<String>,
    /// The account that imports, by its address; the installation itself unless given.
    #[arg(long = "as")]
    account: Option<String>,
    #[command(flatten)]
    flags: Flags,
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
        match self.source {
            Source::Csv(csv) => csv.run().await,
            Source::Staff(staff) => staff.run().await,
        }
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
        let caller = caller_for(&auth, self.account.as_deref(), self.workspace.as_deref(), run).await?;
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

/// Who imports: an account, or the installation in a workspace.
async fn caller_for(auth: &Auth, account: Option<&str>, workspace: Option<&str>, run: ImportRunId) -> kernel::Result<Caller> {
    let cause = Cause::Import(run.uuid());
    match account {
        Some(email) => auth.account_caller(email, workspace, cause).await,
        None => Ok(Caller::job(run.uuid(), Some(auth.workspace_named(workspace).await?), cause)),
    }
}

impl Staff {
    async fn run(self) -> Result<(), Fault> {
        let file = File::open(&self.file).map_err(Error::internal)?;
        let columns = ["email", "given_name", "family_name", "role", "password_hash"];
        let (rows, unreadable) = read_named(std::io::BufReader::new(file), columns, 4, usize::MAX)?;
        let row = |row: NamedRow<5>| {
            let [email, given_name, family_name, role, password_hash] = row.values;
            StaffRow { line: row.line, email, given_name, family_name, role, password_hash }
        };
        let rows: Vec<StaffRow> = rows.into_iter().map(row).collect();
        let config = configured(self.flags)?;
        let (store, auth) = wiring::open(&config).await?;
        let caller = caller_for(&auth, self.account.as_deref(), self.workspace.as_deref(), store.runtime().id()).await?;
        let done = store.write(&Arc::new(caller), async |uow| auth::staff::bring_in(uow, &rows).await).await?;
        for problem in &unreadable {
            say(&format!("line {}: {} ({})", problem.line, problem.reason, problem.code));
        }
        for problem in &done.problems {
            say(&format!("line {}, column {}: {}", problem.line, problem.column, problem.reason));
        }
        let mut wrong: Vec<u64> = done.problems.iter().map(|problem| problem.line).collect();
        wrong.dedup();
        say(&format!(
            "{} rows read: {} created, {} added to the workspace, {} unchanged, {} wrong",
            rows.len() + unreadable.len(),
            done.created,
            done.added,
            done.unchanged,
            wrong.len() + unreadable.len()
        ));
        store.close().await;
        Ok(())
    }
}
