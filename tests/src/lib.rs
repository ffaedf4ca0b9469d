//! The harness: the real server on a free port, each test with a database of its own, time that can be moved, and a client that
//! speaks HTTP.
//!
//! `PELATIS_TEST_DATABASE` chooses the engine: `sqlite` (the default, nothing to install) or `postgres`, on the server that
//! `PELATIS_TEST_POSTGRES` names. `PELATIS_TEST_REDIS` lets limits go through Redis. A database is copied from a template that is
//! migrated once for each build.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod app;
mod client;
mod clock;
mod database;
pub mod logs;

pub use app::{CHEAP, MoreHandlers, PASSWORD, TestApp, TestConfig, handlers, mail_config, mailed_token, mails_in};
pub use client::{Answer, Session};
pub use clock::TestClock;
pub use database::{Database, Engine};
