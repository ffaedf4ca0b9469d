//! The store: the open database of an installation.

use std::sync::Arc;
use std::time::Duration;

use kernel::error::codes;
use kernel::{Caller, Error, Kind, Result, Runtime};

use crate::conn::{Conn, Hints, Signer, no_hints};
use crate::dialect::{Dialect, Mode, ddl};
use crate::errors;
use crate::jobs::Wake;
use crate::pool::{DatabaseConfig, Pools};
use crate::reader::Reader;
use crate::secret::Secret;
use crate::shared::Shared;
use crate::uow::{Touched, UnitOfWork};

/// How often a transaction that others got in the way of runs again.
const ATTEMPTS: u32 = 8;

/// What is told, after each commit, which records changed.
pub type Listener = Arc<dyn Fn(&[Touched]) + Send + Sync>;

/// The open database of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    pub(crate) runtime: Runtime,
    pub(crate) secret: Secret,
    pub(crate) cursor_key: Signer,
    pub(crate) hints: Hints,
    pub(crate) epoch: i32,
    shared: Shared,
    listeners: Arc<std::sync::RwLock<Vec<Listener>>>,
    wake: Wake,
}

impl Store {
    /// Opens a database that is migrated already.
    ///
    /// # Errors
    /// What the database says when it cannot be reached, and `internal` when its role could get round row security.
    pub async fn open(config: &DatabaseConfig, secret: Secret, shared: Shared, runtime: Runtime) -> Result<Self> {
        let cursor_key = Arc::new(secret.signer("cursor")?);
        let pools = Pools::open(config).await?;
        let mut store = Self {
            pools,
            runtime,
            secret,
            cursor_key,
            hints: no_hints(),
            epoch: 0,
            shared,
            listeners: Arc::default(),
            wake: Wake::default(),
        };
        store.epoch = crate::journal::epoch(&store).await?;
        Ok(store)
    }

    /// Which engine it is.
    pub fn dialect(&self) -> Dialect {
        self.pools.dialect()
    }

    /// Time and randomness.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The installation's secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What nodes share: limits and invalidations.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Word to this process's workers.
    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Calls `listener` after each commit with the records that changed.
    pub fn on_commit(&self, listener: Listener) {
        if let Ok(mut listeners) = self.listeners.write() {
            listeners.push(listener);
        }
    }

    pub(crate) fn tell(&self, touched: &[Touched]) {
        if let Ok(listeners) = self.listeners.read() {
            for listener in listeners.iter() {
                listener(touched);
            }
        }
    }

    /// A connection for queries of this caller.
    ///
    /// # Errors
    /// `unavailable` when none is free in time.
    pub async fn reader(&self, caller: &Caller) -> Result<Reader> {
        Reader::open(self, caller).await
    }

    /// Runs a unit of work: one transaction, with everything that it changes in the journal. When others got in its way it
    /// runs again, so `work` must not keep anything from a run that failed.
    ///
    /// # Errors
    /// What `work` returns; `busy` when others were in the way each time; `unavailable` when the database cannot be reached.
    pub async fn write<T>(&self, caller: &Arc<Caller>, work: impl AsyncFnMut(&mut UnitOfWork) -> Result<T>) -> Result<T> {
        self.write_as(caller, Mode::Write, work).await
    }

    pub(crate) async fn write_as<T>(
        &self,
        caller: &Arc<Caller>,
        mode: Mode,
        mut work: impl AsyncFnMut(&mut UnitOfWork) -> Result<T>,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let error = match self.attempt(caller, mode, &mut work).await {
                Ok(done) => return Ok(done),
                Err(Failed::Begin(error)) if self.worth_another_connection(&error) => error,
                Err(Failed::Begin(error) | Failed::Work(error)) if *error.code() == errors::BUSY => error,
                Err(Failed::Begin(error) | Failed::Work(error)) => return Err(error),
            };
            if attempt == ATTEMPTS {
                return Err(error);
            }
            let [jitter] = self.runtime.random::<1>();
            tokio::time::sleep(Duration::from_millis((1 << attempt) + u64::from(jitter % 16))).await;
            attempt += 1;
        }
    }

    pub(crate) async fn begin(&self, caller: &Caller, mode: Mode) -> Result<Conn> {
        Ok(Conn::new(self.pools.begin(caller, mode).await?, self.cursor_key.clone(), self.hints.clone()))
    }

    async fn attempt<T>(
        &self,
        caller: &Arc<Caller>,
        mode: Mode,
        work: &mut impl AsyncFnMut(&mut UnitOfWork) -> Result<T>,
    ) -> Result<T, Failed> {
        let conn = self.begin(caller, mode).await.map_err(Failed::Begin)?;
        let mut uow = UnitOfWork::new(self.clone(), conn, caller.clone());
        match work(&mut uow).await {
            Ok(done) => {
                uow.commit().await.map_err(Failed::Work)?;
                Ok(done)
            }
            Err(error) => {
                uow.rollback().await;
                Err(Failed::Work(error))
            }
        }
    }

    /// Whether a failure to begin only means that a pooled connection had died.
    pub(crate) fn worth_another_connection(&self, error: &Error) -> bool {
        use std::error::Error as _;
        error.kind() == Kind::Unavailable
            && *error.code() == codes::UNAVAILABLE
            && !matches!(
                error.source().and_then(|source| source.downcast_ref()),
                Some(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
            )
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.pools.ping().await
    }

    /// Connections that are open, and how many of them are idle.
    pub fn connections(&self) -> (u32, usize) {
        self.pools.size()
    }

    /// Makes what the coming months need. Called at start and once a day.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prepare_months(&self) -> Result<()> {
        let Some(sql) = crate::dialect::ddl::ensure_partitions(self.dialect()) else { return Ok(()) };
        let caller = Caller::job(self.runtime.uuid(), None, kernel::Cause::Command);
        let mut conn = self.begin(&caller, Mode::Write).await?;
        conn.sql_batch(sql.to_owned()).await?;
        Reader::from(conn).close().await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    /// The role that the server works as on PostgreSQL.
    pub fn role() -> &'static str {
        ddl::APP_ROLE
    }
}

enum Failed {
    /// Nothing had been done yet.
    Begin(Error),
    Work(Error),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Store({})", self.dialect().name())
    }
}
