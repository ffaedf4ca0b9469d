//! Ten writers on a few records at once: some serial order explains everything that they were answered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use futures::future::join_all;
use harness::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use super::history::{Answered, Event, Operation, Order, State, explain};
use super::{Dice, company};

const WRITERS: u64 = 10;
const OPERATIONS: u64 = 24;
/// Records at most; more of them would meet less.
const RECORDS: usize = 3;

/// What the writers share: the records that somebody was told of, and everything that was answered about each.
#[derive(Default)]
struct Shared {
    records: RefCell<Vec<String>>,
    events: RefCell<BTreeMap<String, Vec<Event>>>,
}

/// One who draws what to do next, and names the versions that were shown to it last, which may be old.
struct Writer<'a> {
    app: &'a TestApp,
    shared: &'a Shared,
    started: Instant,
    dice: Dice,
    seen: BTreeMap<String, i64>,
}

impl Writer<'_> {
    async fn work(&mut self, number: u64) {
        for step in 0..OPERATIONS {
            let record = self.record();
            let operation = self.operation(&format!("{number}-{step}"), record.as_deref());
            let began = self.started.elapsed().as_nanos();
            let answer = self.send(record.as_deref(), &operation).await;
            let ended = self.started.elapsed().as_nanos();
            let answered = read(&answer);
            let id = record.unwrap_or_else(|| answer.id());
            if let Answered::Shown(state) = &answered {
                self.seen.insert(id.clone(), state.version);
            }
            if matches!(operation, Operation::Create { .. }) {
                self.shared.records.borrow_mut().push(id.clone());
            }
            self.shared.events.borrow_mut().entry(id).or_default().push(Event { began, ended, operation, answered });
        }
    }

    /// One of the records, or none where another one is to be made.
    fn record(&mut self) -> Option<String> {
        let records = self.shared.records.borrow();
        if records.is_empty() || (records.len() < RECORDS && self.dice.one_in(10)) {
            return None;
        }
        let place = self.dice.below(records.len() as u64);
        records.get(usize::try_from(place).unwrap()).cloned()
    }

    fn operation(&mut self, text: &str, record: Option<&str>) -> Operation {
        let Some(record) = record else { return Operation::Create { name: text.to_owned() } };
        let seen = self.seen.get(record).copied().filter(|_| !self.dice.one_in(3));
        match self.dice.below(10) {
            0 => Operation::Archive { seen },
            1 | 2 => Operation::Restore { seen: seen.filter(|_| self.dice.one_in(2)) },
            3 | 4 => Operation::Read,
            5 | 6 => Operation::Patch { name: Some(text.to_owned()), sector: None, seen },
            7 => Operation::Patch { name: None, sector: Some(None), seen },
            _ => Operation::Patch { name: None, sector: Some(Some(text.to_owned())), seen },
        }
    }

    async fn send(&self, record: Option<&str>, operation: &Operation) -> Answer {
        let path = format!("/v1/clients{}", record.map(|id| format!("/{id}")).unwrap_or_default());
        let (method, path, body, seen) = match operation {
            Operation::Create { name } => (Method::POST, path, Some(company(name)), None),
            Operation::Read => (Method::GET, path, None, None),
            Operation::Archive { seen } => (Method::DELETE, path, None, *seen),
            Operation::Restore { seen } => (Method::POST, format!("{path}/restore"), None, *seen),
            Operation::Patch { name, sector, seen } => {
                let mut body = json!({});
                if let Some(name) = name {
                    body["name"] = json!(name);
                }
                if let Some(sector) = sector {
                    body["sector"] = json!(sector);
                }
                (Method::PATCH, path, Some(body), *seen)
            }
        };
        let mut request = self.app.request(method, &path, &self.app.admin);
        if let Some(seen) = seen {
            request = request.header("if-match", format!("\"v{seen}\""));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.app.send(request).await
    }
}

fn read(answer: &Answer) -> Answered {
    match (answer.status, answer.code()) {
        (200 | 201, _) => Answered::Shown(state(answer)),
        (204, _) => Answered::Done,
        (412, "stale") => Answered::Stale,
        (409, "archived") => Answered::Archived,
        (503, "busy") if answer.header("retry-after").is_some() => Answered::Refused,
        _ => panic!("{} is no answer to this: {}", answer.status, answer.text),
    }
}

fn state(answer: &Answer) -> State {
    let etag = answer.etag();
    let version = etag.strip_prefix("\"v").and_then(|rest| rest.strip_suffix('"')).expect("the ETag of a version");
    State {
        version: version.parse().unwrap(),
        name: answer.body["name"].as_str().unwrap().to_owned(),
        sector: answer.body["sector"].as_str().map(str::to_owned),
        archived: answer.body["archived_at"] != Value::Null,
    }
}

/// The journal's words for an order.
fn actions(events: &[Event], order: &Order) -> Vec<&'static str> {
    let mut version = 0;
    let mut actions = Vec::new();
    for (place, state) in order {
        if state.version > version {
            actions.push(match events[*place].operation {
                Operation::Create { .. } => "create",
                Operation::Patch { .. } => "update",
                Operation::Archive { .. } => "archive",
                Operation::Restore { .. } => "restore",
                Operation::Read => "read",
            });
        }
        version = state.version;
    }
    actions
}

async fn one_history(seed: u64) {
    let app = TestApp::spawn().await;
    let (shared, started) = (Shared::default(), Instant::now());
    let first = Operation::Create { name: "first".to_owned() };
    let maker = Writer { app: &app, shared: &shared, started, dice: Dice(seed), seen: BTreeMap::new() };
    let answer = maker.send(None, &first).await.expect(201);
    let ended = started.elapsed().as_nanos();
    let made = Event { began: 0, ended, operation: first, answered: read(&answer) };
    maker.shared.records.borrow_mut().push(answer.id());
    shared.events.borrow_mut().insert(answer.id(), vec![made]);

    join_all((1..=WRITERS).map(|number| {
        let dice = Dice(seed.wrapping_mul(1000) + number);
        let mut writer = Writer { app: &app, shared: &shared, started, dice, seen: BTreeMap::new() };
        async move { writer.work(number).await }
    }))
    .await;

    let all = shared.events.take();
    let (mut stale, mut written) = (0, 0);
    for (id, events) in &all {
        let order = explain(events).unwrap_or_else(|why| panic!("seed {seed}, client {id}: {why}"));
        // what there is in the end is the end of that order, and the journal tells the same story
        let (_, last) = order.last().unwrap();
        assert_eq!(&state(&app.get(&format!("/v1/clients/{id}"), &app.admin).await.expect(200)), last);
        assert_eq!(app.actions_of(id).await, actions(events, &order));
        stale += events.iter().filter(|event| event.answered == Answered::Stale).count();
        written += last.version;
    }
    // they did meet
    assert!(stale > 0 && written > 20, "{stale} stale, {written} versions");
    let versions = app.db.scalar("SELECT CAST(SUM(version) AS text) FROM client").await.unwrap();
    assert_eq!((all.len() as i64, versions), (app.count("client").await, written.to_string()));
}

/// Seen to fail when the server does not compare `If-Match`, and on PostgreSQL when an update neither locks the record nor compares the
/// version that it was made from.
#[tokio::test]
async fn some_serial_order_explains_what_ten_writers_at_once_were_answered_about_the_records_they_share() {
    for seed in [1, 2, 3] {
        one_history(seed).await;
    }
}
