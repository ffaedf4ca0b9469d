//! A list from its beginning to its end: for what takes all of it with it, such as an export.

use kernel::{Caller, Error, Result};
use sea_orm::sea_query::SelectStatement;

use super::ListSpec;
use super::approach::{self, FEW};
use super::page::{Asked, Listed, after_keys, key_texts, keys};
use super::query::ListQuery;
use crate::conn::Conn;

/// Records that are read at a time. Debug builds read few, so that tests, which have little data, see several batches.
const BATCH: u64 = if cfg!(debug_assertions) { 8 } else { 1_000 };

/// Where the next batch begins.
#[derive(Debug)]
enum Next {
    Beginning,
    After(Vec<String>),
    Nowhere,
}

/// A list that is read to its end, batch after batch, each on whatever connection there is by then: nothing is held open between two of
/// them. Each begins behind the last record of the one before, as pages do. So of a list that changes meanwhile each record comes as it is
/// by then, in the order of the sort, and at most once; only one whose place in the sort changes meanwhile can come twice or be passed
/// over, and of the default sort no place changes. What is there all the time and keeps its place comes.
///
/// All batches together cost one walk along the sort's index, however many there are. Only where a condition lets few records through
/// they are gathered at the beginning, and are one batch.
#[derive(Debug)]
pub struct Whole {
    query: ListQuery,
    next: Next,
}

impl Whole {
    /// The list that a query asks for; what it says of pages does not count.
    pub fn new(query: ListQuery) -> Self {
        Self { query, next: Next::Beginning }
    }

    /// What is asked for.
    pub fn query(&self) -> &ListQuery {
        &self.query
    }

    /// Whether all has been read.
    pub fn is_over(&self) -> bool {
        matches!(self.next, Next::Nowhere)
    }

    /// The next records of `base`, a [`Listed::select`] that carries the conditions of what the caller may see. `among` are ids of
    /// records of which all of them are some, where there is such a set (see [`ListQuery::found_among`]).
    ///
    /// # Errors
    /// What the database says.
    pub async fn batch<L: Listed>(
        &mut self,
        conn: &mut Conn,
        caller: &Caller,
        base: SelectStatement,
        spec: &ListSpec,
        among: Option<SelectStatement>,
    ) -> Result<Vec<L>> {
        self.query.check_resolved()?;
        let keys = keys(conn.dialect(), spec, &self.query);
        let mut query = match among {
            Some(ids) => self.query.found_among(ids),
            None => self.query.clone(),
        };
        if query.narrows() {
            conn.plan_by_values().await?;
        }
        let (after, few) = match &self.next {
            Next::Nowhere => return Ok(Vec::new()),
            Next::Beginning => (None, approach::few(conn, caller, spec, &query).await?),
            Next::After(texts) => (Some(after_keys(conn.dialect(), &keys, texts)?), None),
        };
        query.limit = if few.is_some() { FEW } else { BATCH };
        let limit = usize::try_from(query.limit).map_err(Error::internal)?;
        let asked = Asked { dialect: conn.dialect(), spec, query: &query, keys, after };
        let select = match few {
            Some(found) => asked.gather(base, found),
            None => asked.walk(base),
        };
        let rows = conn.rows(&select).await?;
        self.next = match rows.get(limit.saturating_sub(1)) {
            Some(last) if rows.len() > limit => Next::After(key_texts::<L>(&asked.keys, last)?),
            _ => Next::Nowhere,
        };
        rows.iter().take(limit).map(|row| L::read(row, 0)).collect()
    }
}
