//! The permission matrix: every operation by every kind of caller, over HTTP, with real ids and bodies. What is expected follows from
//! the permission table and the row scope; what was found is pinned in `tests/permissions.txt`, so that a change of who may do what is
//! seen in review.
//!
//! Faults that were put in to see it fail: a condition less in a record's `visible_to` (of clients the scope, of contacts the workspace),
//! an operation whose row allows more, a token's scopes and networks not looked at, a removed member who is still believed for the seconds
//! that identities are kept, an operation that the matrix does not know.

mod callers;
mod expected;
mod pinned;
mod reads;
mod records;
mod requests;

use std::collections::HashMap;
use std::fmt::Write as _;

use ::api::registry::{Registry, Served};
use harness::{Answer, Session, TestApp};
use serde_json::Value;

use callers::{Callers, Holds};
use records::{Records, World};
pub(crate) use records::{import, stage_row};
use requests::{Ask, Target, ask, body};

/// The status of success, as the document has it first.
fn documented(document: &Value, operation: &str) -> u16 {
    let paths = document["paths"].as_object().unwrap();
    let found = paths.values().flat_map(|methods| methods.as_object().unwrap().values());
    let found = found.filter(|described| described["operationId"] == operation);
    let mut statuses = found.flat_map(|described| described["responses"].as_object().unwrap().keys());
    statuses.find(|status| status.starts_with('2')).unwrap().parse().unwrap()
}

/// Sends the call and says what became of it; of a bulk call, what became of the one operation in it.
async fn call(world: &mut World, served: &Served, records: &Records, session: &Session) -> Answer {
    let mut url = String::new();
    for part in served.path.split('/').skip(1) {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        write!(url, "/{}", name.map_or(part, |name| records.get(name))).unwrap();
    }
    let number = world.number();
    let mut request = world.app.request(served.method.as_str().parse().unwrap(), &url, session);
    if let Some(body) = body(served.row.id, records, number) {
        request = request.json(&body);
    }
    if served.row.id == "upload_file" {
        let on = [("rel_type", "client"), ("rel_id", records.get("client_id"))];
        request = world.app.uploading(session, &on, "file.txt", b"made");
    }
    if served.row.id == "start_client_import" {
        request = world.app.importing(session, &[], "clients.csv", b"name\nMade\n");
    }
    if served.row.id == "load_team_members" {
        request = request.header("content-type", "text/csv").body("email\n");
    }
    if served.row.id == "receive_mail_bounce" {
        request = request.header("content-type", "message/rfc822").body(crate::mail::report(
            "<nobody@crm.example>",
            "x@example.com",
            "5.1.1",
        ));
    }
    let mut answer = world.app.send(request).await;
    if let Some(status) = answer.body["results"][0]["status"].as_u64() {
        answer.status = u16::try_from(status).unwrap();
    }
    world.refreshed(&answer.body);
    answer
}

/// One row of the table.
struct Row<'a> {
    served: &'a Served,
    ask: Ask,
    success: u16,
    /// Records that no call is to change, with how often the journal spoke of them at first.
    still: HashMap<(Target, String), (Records, i64)>,
    wrong: Vec<String>,
}

impl Row<'_> {
    /// What a kind of caller is answered, one status for each target or one for all.
    async fn cell(&mut self, world: &mut World, callers: &mut Callers, at: usize) -> String {
        let operation = self.served.row;
        let (mut session, owner, holds) = callers.speak(&world.app, at, operation).await;
        let kind = &callers.kinds[at];
        let is_contact = matches!(holds, Holds::Contact(_));
        match (&kind.email, operation.id) {
            (Some(email), "logout") if !is_contact => session = world.app.sign_in(email).await,
            (Some(email), "portal_logout") if is_contact => session = world.app.sign_in_to_portal("main", email).await,
            _ => {}
        }
        let refusal = expected::gate(operation, &holds);
        let targets = match refusal {
            // whose record it is does not matter to who does not come that far
            Some(_) => &self.ask.targets[self.ask.targets.len().saturating_sub(2)..][..1],
            None => self.ask.targets,
        };
        let mut found: Vec<String> = Vec::new();
        for target in targets {
            let is_token = session.token.as_deref().unwrap_or("").starts_with("plt_");
            let expected = match refusal {
                Some(status) => status,
                // a token has no session to end, and no password
                None if ["logout", "change_my_password"].contains(&operation.id) && is_token => 409,
                None => expected::scope(&self.ask, *target, &holds, is_token, self.success),
            };
            let fresh = self.ask.changes && expected < 300;
            // a member is looked up each time: an earlier call may have taken them out and had them invited once more
            let records = if fresh || matches!(target, Target::Below | Target::Above) {
                world.records(operation.id, &self.served.path, *target, &owner).await
            } else {
                self.still(world, *target, &owner).await
            };
            let answer = call(world, self.served, &records, &session).await;
            if answer.status != expected {
                let text: String = answer.text.chars().take(300).collect();
                let told =
                    format!("{} by {}, {target:?}: {}, expected {expected}: {text}", operation.id, kind.name, answer.status);
                self.wrong.push(told);
            }
            found.push(answer.status.to_string());
        }
        if found.iter().all(|status| *status == found[0]) { found.remove(0) } else { found.join("/") }
    }

    async fn still(&mut self, world: &mut World, target: Target, owner: &Session) -> Records {
        let whose = if target == Target::Own { owner.user_id.clone() } else { String::new() };
        let key = (target, whose);
        if !self.still.contains_key(&key) {
            let records = world.records(self.served.row.id, &self.served.path, target, owner).await;
            let entries = records.entries(&world.app).await;
            self.still.insert(key.clone(), (records, entries));
        }
        self.still[&key].0.clone()
    }

    /// That no refused call left anything behind.
    async fn check_still(&mut self, app: &TestApp) {
        for ((target, _), (records, before)) in &self.still {
            let after = records.entries(app).await;
            if after != *before {
                self.wrong.push(format!("{}, {target:?}: a refused call changed something", self.served.row.id));
            }
        }
    }
}

/// Into how many tests the operations are dealt out: one alone took longer than a test may where the machine was busy.
const PARTS: usize = 4;

/// The operations of the registry, in the order of the table's rows.
fn operations(registry: &Registry) -> Vec<&Served> {
    let mut served: Vec<_> = registry.served.iter().collect();
    served.sort_by_key(|served| served.row.id);
    served
}

/// Asks every [`PARTS`]th operation, from this one on, in an installation of its own.
async fn every_operation(first: usize) {
    let app = TestApp::spawn().await;
    let mut callers = Callers::make(&app).await;
    let mut world = World::make(app).await;
    let registry = ::api::routes::registry();
    let document = serde_json::from_str(&::api::openapi::text(&registry).unwrap()).unwrap();

    let mut rows = vec![pinned::heading(callers.kinds.iter().map(|kind| kind.name))];
    let mut wrong = Vec::new();
    for served in operations(&registry).into_iter().skip(first).step_by(PARTS) {
        let Some(ask) = ask(served.row.id) else {
            wrong.push(format!(
                "{} is an operation that the matrix does not know: say in requests.rs what is asked of it",
                served.row.id
            ));
            continue;
        };
        let success = ask.success.unwrap_or_else(|| documented(&document, served.row.id));
        let mut row = Row { served, ask, success, still: HashMap::new(), wrong: Vec::new() };
        let mut cells = vec![served.row.id.to_owned()];
        for at in 0..callers.kinds.len() {
            cells.push(row.cell(&mut world, &mut callers, at).await);
        }
        row.check_still(&world.app).await;
        wrong.extend(row.wrong);
        rows.push(cells);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    pinned::compare(&rows);
}

#[tokio::test]
async fn every_operation_answers_each_kind_of_caller_as_the_permission_table_and_the_row_scope_say() {
    Box::pin(every_operation(0)).await;
}

#[tokio::test]
async fn every_operation_answers_each_kind_of_caller_as_they_say_a_second_quarter() {
    Box::pin(every_operation(1)).await;
}

#[tokio::test]
async fn every_operation_answers_each_kind_of_caller_as_they_say_a_third_quarter() {
    Box::pin(every_operation(2)).await;
}

#[tokio::test]
async fn every_operation_answers_each_kind_of_caller_as_they_say_the_last_quarter() {
    Box::pin(every_operation(3)).await;
}

#[test]
fn the_pinned_table_has_a_row_for_each_operation_and_no_other() {
    let registry = ::api::routes::registry();
    let known: Vec<&str> = operations(&registry).iter().map(|served| served.row.id).collect();
    pinned::has_rows_for(&known);
}
