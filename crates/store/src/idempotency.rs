//! Idempotency keys: a request that is sent again is answered again, and done once.
//!
//! The key's row is inserted first, in the transaction that does the work, and the answer is written to it last. The unique
//! index does the waiting: a second request with the same key waits for the first one's transaction and then finds its
//! answer. When the server dies in between, nothing of it was ever there.

use std::sync::Arc;

use kernel::{Caller, DateTime, Error, Result};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};

use crate::dialect::Mode;
use crate::errors::{IDEMPOTENCY_IN_FLIGHT, IDEMPOTENCY_MISMATCH};
use crate::field::{Field, Json};
use crate::store::Store;
use crate::uow::UnitOfWork;

/// Days for which an answer is kept.
pub(crate) const KEPT_DAYS: i64 = 7;

/// A key with the fingerprint of the request it came with.
#[derive(Clone, Debug)]
pub struct Once {
    /// Who asks: keys of different callers have nothing to do with each other.
    pub owner: String,
    /// The key, as the caller chose it.
    pub key: String,
    /// A digest of method, path and body.
    pub fingerprint: String,
}

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// The headers that matter.
    pub headers: Vec<(String, String)>,
    /// The body, with secrets masked.
    pub body: Vec<u8>,
}

/// What came of a request with a key.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It was done now.
    Done(T),
    /// It had been done before, with this answer.
    Replayed(KeptAnswer),
}

impl Store {
    /// Runs a unit of work at most once for a key. `keep` makes of a result what is kept of it; where it makes nothing
    /// (because trying again may help), the key stays free.
    ///
    /// # Errors
    /// `idempotency_key_reused` when the key came with another request; `idempotency_in_flight` when the first one takes too
    /// long; otherwise what `work` returns.
    pub async fn write_once<T>(
        &self,
        caller: &Arc<Caller>,
        once: &Once,
        keep: impl Fn(&Result<T>) -> Option<KeptAnswer>,
        mut work: impl AsyncFnMut(&mut UnitOfWork) -> Result<T>,
    ) -> Result<Outcome<T>> {
        let owner = once.owner.clone();
        // a failure that is kept must still commit its answer, so it travels inside
        let done: Result<Outcome<Result<T>>> = self
            .write_as(caller, Mode::WriteOnce, async |uow| {
                if let Some(kept) = claim(uow, &owner, once).await? {
                    return Ok(Outcome::Replayed(kept));
                }
                let savepoint = uow.savepoint().await?;
                let result = work(uow).await;
                match (&result, keep(&result)) {
                    (Ok(_), kept) => {
                        uow.keep(savepoint).await?;
                        store_answer(uow, &owner, once, kept).await?;
                    }
                    (Err(_), Some(kept)) => {
                        uow.back_to(savepoint).await?;
                        store_answer(uow, &owner, once, Some(kept)).await?;
                    }
                    (Err(_), None) => return result.map(|done| Outcome::Done(Ok(done))),
                }
                Ok(Outcome::Done(result))
            })
            .await;
        match done {
            Ok(Outcome::Done(result)) => result.map(Outcome::Done),
            Ok(Outcome::Replayed(kept)) => Ok(Outcome::Replayed(kept)),
            Err(error) => Err(error),
        }
    }
}

/// Takes the key, or finds the answer that was given with it.
async fn claim(uow: &mut UnitOfWork, owner: &str, once: &Once) -> Result<Option<KeptAnswer>> {
    let now = uow.now();
    for _ in 0..2 {
        let mut insert = Query::insert();
        insert
            .into_table("idempotency_record")
            .columns(["owner", "key", "workspace_id", "fingerprint", "created_at"])
            .values_panic([
                Expr::value(owner),
                Expr::value(once.key.as_str()),
                Expr::value(uow.workspace().ok().value()),
                Expr::value(once.fingerprint.as_str()),
                Expr::value(now.value()),
            ])
            .on_conflict(OnConflict::columns(["owner", "key"]).do_nothing().to_owned());
        if uow.execute(&insert).await? == 1 {
            return Ok(None);
        }
        let mut select = Query::select();
        select
            .columns(["fingerprint", "status", "headers", "body", "created_at"])
            .from("idempotency_record")
            .and_where(Expr::col("owner").eq(owner))
            .and_where(Expr::col("key").eq(once.key.as_str()));
        let Some(row) = uow.row(&select).await? else { continue };
        if row.get::<DateTime>(4)? < now - chrono::Duration::days(KEPT_DAYS) {
            free(uow, owner, once).await?;
            continue;
        }
        if row.get::<String>(0)? != once.fingerprint {
            return Err(Error::new(&IDEMPOTENCY_MISMATCH)
                .with_detail("Use a new Idempotency-Key for a new request.")
                .with_field(kernel::FieldError::new("Idempotency-Key", "key_reused", "was used for another request")));
        }
        let status: Option<i32> = row.get(1)?;
        let Some(status) = status.and_then(|status| u16::try_from(status).ok()) else {
            return Err(Error::new(&IDEMPOTENCY_IN_FLIGHT).with_retry_after(1));
        };
        let headers = row.get::<Option<Json<Vec<(String, String)>>>>(2)?.map(|json| json.0).unwrap_or_default();
        return Ok(Some(KeptAnswer { status, headers, body: row.get::<Option<Vec<u8>>>(3)?.unwrap_or_default() }));
    }
    Err(Error::new(&IDEMPOTENCY_IN_FLIGHT).with_retry_after(1))
}

async fn store_answer(uow: &mut UnitOfWork, owner: &str, once: &Once, kept: Option<KeptAnswer>) -> Result<()> {
    let Some(kept) = kept else { return free(uow, owner, once).await };
    let mut update = Query::update();
    update
        .table("idempotency_record")
        .value("status", i32::from(kept.status))
        .value("headers", Json(kept.headers).value())
        .value("body", kept.body.value())
        .and_where(Expr::col("owner").eq(owner))
        .and_where(Expr::col("key").eq(once.key.as_str()));
    uow.execute(&update).await.map(|_| ())
}

/// Lets the key be used anew.
async fn free(uow: &mut UnitOfWork, owner: &str, once: &Once) -> Result<()> {
    let mut delete = Query::delete();
    delete
        .from_table("idempotency_record")
        .and_where(Expr::col("owner").eq(owner))
        .and_where(Expr::col("key").eq(once.key.as_str()));
    uow.execute(&delete).await.map(|_| ())
}
