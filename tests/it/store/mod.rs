//! The store: lists, search, the journal, row security and the unit of work.

use std::sync::Arc;

use harness::TestApp;
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};

mod append_only;
mod cursor;
mod feed;
mod journal;
mod list_indexes;
mod list_walk;
mod search;
mod second_wall;
mod unit_of_work;
mod walls;

/// The installation at work in the workspace `main`.
fn at_work(app: &TestApp) -> Arc<Caller> {
    let workspace = WorkspaceId::from_uuid(app.workspace.parse().unwrap());
    Arc::new(Caller::job(kernel::Runtime::system().uuid(), Some(workspace), Cause::Command))
}

/// The installation at work in no workspace.
fn installation() -> Arc<Caller> {
    Arc::new(Caller::job(kernel::Runtime::system().uuid(), None, Cause::Command))
}
