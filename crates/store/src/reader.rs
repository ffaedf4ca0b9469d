//! Reading: a connection that cannot write.

use std::ops::{Deref, DerefMut};

use kernel::{Caller, Result};

use crate::conn::{Conn, Link};
use crate::dialect::Mode;
use crate::errors::from_sqlx;
use crate::store::Store;

/// A connection for queries. On PostgreSQL it is a read-only transaction of one snapshot, with the caller set for row
/// security; on SQLite, which has no row security, each statement sees one state by itself and no transaction is needed.
pub struct Reader(Conn);

impl Reader {
    pub(crate) async fn open(store: &Store, caller: &Caller) -> Result<Self> {
        match store.begin(caller, Mode::Read).await {
            // a connection that the server has closed meanwhile shows when it is used; another one is tried at once
            Err(error) if store.worth_another_connection(&error) => Box::pin(store.begin(caller, Mode::Read)).await,
            other => other,
        }
        .map(Self)
    }

    /// Gives the connection back. Dropping it does the same, a little later.
    ///
    /// # Errors
    /// What the database says.
    pub async fn close(self) -> Result<()> {
        match self.0.link {
            Link::Pooled(_) => Ok(()),
            Link::Sqlite(transaction) => transaction.commit().await.map_err(from_sqlx),
            Link::Postgres(transaction) => transaction.commit().await.map_err(from_sqlx),
        }
    }
}

impl Deref for Reader {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl From<Conn> for Reader {
    fn from(conn: Conn) -> Self {
        Self(conn)
    }
}
