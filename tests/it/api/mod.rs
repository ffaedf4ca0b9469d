//! The edge: what every operation has in common, through HTTP.

mod bodies;
mod bulk;
mod conditional;
mod edge;
mod held;
mod idempotency;
mod limits;
mod meta;
mod old_names;
mod patches;
mod queries;
mod stopping;

use harness::{Answer, Session, TestApp};
use reqwest::Method;

/// An id that nothing has.
const NOWHERE: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c07398f";

/// Sends bytes as they are.
async fn raw(app: &TestApp, method: Method, path: &str, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(method, path, &app.admin).body(body);
    let request = match content_type {
        Some(content_type) => request.header("content-type", content_type),
        None => request,
    };
    app.send(request).await
}

/// GET with one more header.
async fn get_with(app: &TestApp, path: &str, session: &Session, name: &str, value: &str) -> Answer {
    app.send(app.request(Method::GET, path, session).header(name, value)).await
}

/// What the database holds of clients, and how much is journaled.
async fn state(app: &TestApp) -> (i64, i64) {
    (app.count("client").await, app.count("journal_entry").await)
}
