//! Jobs: how many that do nothing are claimed and finished in a second, and what enqueueing one adds to a write.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Caller, Cause, DateTime, Runtime, WorkspaceId};
use serde_json::json;
use store::jobs::{Job, Noop};
use store::query::{Expr, ExprTrait as _, Query};
use store::shared::Shared;
use store::{DatabaseConfig, Secret, Store};

use crate::{Result, say};

/// Jobs that are enqueued in one transaction.
const TOGETHER: usize = 1000;
/// Writes of one kind before those of the other have their turn.
const TURN: usize = 100;

#[derive(clap::Args)]
pub(crate) struct Work {
    /// The database
    #[arg(long)]
    url: String,
    /// The program
    #[arg(long)]
    program: PathBuf,
    /// The working folder of the workers
    #[arg(long)]
    folder: PathBuf,
    /// A variable of their environment, NAME=VALUE; they are given these and PATH, and nothing of ours
    #[arg(long)]
    env: Vec<String>,
    /// How many processes work
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// How many jobs there are
    #[arg(long, default_value_t = 60_000)]
    jobs: usize,
    /// How many must be claimed and finished in a second
    #[arg(long)]
    least: f64,
}

#[derive(clap::Args)]
pub(crate) struct Enqueue {
    /// The database, which has a workspace
    #[arg(long)]
    url: String,
    /// How many writes of each kind
    #[arg(long, default_value_t = 2000)]
    writes: usize,
    /// How many times as long a write with a job may take
    #[arg(long, default_value_t = 1.15)]
    most: f64,
}

async fn open(url: &str) -> Result<Store> {
    let config = DatabaseConfig { url: url.to_owned(), owner_url: None, connections: 4 };
    let runtime = Runtime::system();
    // nothing that is sealed or signed is read here
    let store = Store::open(&config, Secret::new([0; 32]), Shared::in_process(runtime.clone()), runtime);
    store.await.map_err(|error| format!("{error:?}").into())
}

fn caller(workspace: Option<WorkspaceId>) -> Arc<Caller> {
    Arc::new(Caller::job(Runtime::system().uuid(), workspace, Cause::Command))
}

fn told(error: &kernel::Error) -> Box<dyn std::error::Error> {
    format!("{error:?}").into()
}

/// Processes that end with the measurement.
struct Workers(Vec<Child>);

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Enqueues jobs, lets workers do them, and says how many they did in a second, from the first claim to the last end.
pub(crate) fn work(options: &Work) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let store = open(&options.url).await?;
        let (caller, jobs) = (caller(None), options.jobs);
        for begun in (0..jobs).step_by(TOGETHER) {
            let some = TOGETHER.min(jobs - begun);
            let enqueued = store
                .write(&caller, async |uow| {
                    for _ in 0..some {
                        uow.enqueue(Job::of(&Noop {})).await?;
                    }
                    Ok(())
                })
                .await;
            enqueued.map_err(|error| told(&error))?;
        }
        let variables = options.env.iter().map(|given| given.split_once('=').ok_or_else(|| format!("{given} is not NAME=VALUE")));
        let variables = variables.collect::<std::result::Result<Vec<_>, _>>()?;
        let mut workers = Workers(Vec::new());
        for _ in 0..options.workers {
            let mut command = Command::new(&options.program);
            command.arg("worker").current_dir(&options.folder).env_clear().envs(variables.iter().copied());
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
            workers.0.push(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        }
        let began = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let mut left = Query::select();
            left.expr(Expr::val(1)).from("job").and_where(Expr::col("kind").eq("noop")).limit(1);
            left.and_where(Expr::col("state").is_in(["waiting", "running"]));
            // those of `enqueue`, which are not due, are of a workspace
            left.and_where(Expr::col("workspace_id").is_null());
            let mut reader = store.reader(&caller).await.map_err(|error| told(&error))?;
            let is_left = reader.row(&left).await.map_err(|error| told(&error))?.is_some();
            reader.close().await.map_err(|error| told(&error))?;
            if !is_left {
                break;
            }
            if began.elapsed() > Duration::from_mins(5) {
                return Err("the jobs are not done after five minutes".into());
            }
        }
        drop(workers);
        let mut span = Query::select();
        span.expr(Expr::col("started_at").min()).expr(Expr::col("finished_at").max()).expr(Expr::col("id").count()).from("job");
        span.and_where(Expr::col("kind").eq("noop")).and_where(Expr::col("state").eq("done"));
        span.and_where(Expr::col("workspace_id").is_null());
        let mut reader = store.reader(&caller).await.map_err(|error| told(&error))?;
        let row = reader.row(&span).await.map_err(|error| told(&error))?.ok_or("no job was done")?;
        let read = || -> kernel::Result<(DateTime, DateTime, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
        let (first, last, done) = read().map_err(|error| told(&error))?;
        let done = usize::try_from(done)?;
        if done != jobs {
            return Err(format!("{done} jobs are done, of {jobs}").into());
        }
        let seconds = (last - first).to_std()?.as_secs_f64();
        let each = f64::from(u32::try_from(done)?) / seconds;
        let (workers, least) = (options.workers, options.least);
        say(&format!("{done} jobs by {workers} workers in {seconds:.2} s: {each:.0} a second (at least {least:.0})"))?;
        if each < least { Err(format!("{each:.0} jobs a second are fewer than {least:.0}").into()) } else { Ok(()) }
    })
}

/// Writes clients with and without a job in the same transaction, in turns, and compares how long that took.
pub(crate) fn enqueue(options: &Enqueue) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let store = open(&options.url).await?;
        let mut first = Query::select();
        first.column("id").from("workspace").limit(1);
        let mut reader = store.reader(&caller(None)).await.map_err(|error| told(&error))?;
        let row = reader.row(&first).await.map_err(|error| told(&error))?.ok_or("there is no workspace")?;
        let workspace: WorkspaceId = row.get(0).map_err(|error| told(&error))?;
        reader.close().await.map_err(|error| told(&error))?;
        let caller = caller(Some(workspace));
        let mut times = [Vec::new(), Vec::new()];
        let mut number = 0;
        // the first turns warm both up and do not count
        for turn in 0..2 * (options.writes.div_ceil(TURN) + 2) {
            let with_job = turn % 2 == 1;
            let Some(of) = times.get_mut(usize::from(with_job)) else { continue };
            for _ in 0..TURN {
                number += 1;
                let body = json!({ "kind": "company", "name": format!("Μέτρηση {number}"), "tax_number": number.to_string() });
                let body: clients::clients::CreateClient = serde_json::from_value(body)?;
                let began = Instant::now();
                let written = store
                    .write(&caller, async |uow| {
                        clients::clients::create(uow, body.clone()).await?;
                        if with_job {
                            // it is not due, so that nobody is busy with it meanwhile
                            uow.enqueue(Job::of(&Noop {}).after(chrono::Duration::days(1))).await?;
                        }
                        Ok(())
                    })
                    .await;
                written.map_err(|error| told(&error))?;
                if turn >= 4 {
                    of.push(began.elapsed());
                }
            }
        }
        let [plain, with_job] = times.map(|mut times| {
            times.sort();
            times.get(times.len() / 2).copied().unwrap_or_default()
        });
        let ratio = with_job.as_secs_f64() / plain.as_secs_f64();
        say(&format!("a write takes {plain:?}, one with a job {with_job:?}: {ratio:.3} times as long (below {})", options.most))?;
        if ratio < options.most { Ok(()) } else { Err(format!("{ratio:.3} is not below {}", options.most).into()) }
    })
}
