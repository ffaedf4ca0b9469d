//! Walking a list while others write: whatever the sort and the filter, each record that stays is seen exactly once.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use harness::TestApp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Records as the server last answered them, by id.
type Model = BTreeMap<String, Value>;

const SORTS: [&str; 8] = ["name", "status", "email", "tax_number", "country", "acquisition_stage", "created_at", "updated_at"];

const NAMES: [&str; 8] = ["Παπάς", "ΠΑΠΑΣ", "Παπαδόπουλος", "Άλφα ΑΕ", "Zeta Ltd", "zéta ltd", "Ωμέγα", "Émile & Cie"];

/// One walk: how the list is asked for, and what others do between its pages.
#[derive(Clone, Debug)]
struct Walk {
    sort: Vec<(&'static str, bool)>,
    filters: Vec<usize>,
    archived: &'static str,
    limit: usize,
    meanwhile: Vec<(Meanwhile, usize)>,
}

#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Insert,
    Touch,
    Archive,
    Restore,
    Purge,
}

fn walks() -> impl Strategy<Value = Walk> {
    let sort = (Just(SORTS.to_vec()).prop_shuffle(), 1..=3_usize, any::<[bool; 3]>())
        .prop_map(|(names, many, down)| names.into_iter().zip(down).take(many).collect());
    let meanwhile = prop_oneof![
        3 => Just(Meanwhile::Insert),
        3 => Just(Meanwhile::Touch),
        1 => Just(Meanwhile::Archive),
        1 => Just(Meanwhile::Restore),
        2 => Just(Meanwhile::Purge),
    ];
    (
        sort,
        proptest::collection::vec(0..FILTERS.len(), 0..=2),
        prop_oneof![4 => Just("false"), 3 => Just("true"), 1 => Just("only")],
        1..=25_usize,
        proptest::collection::vec((meanwhile, any::<usize>()), 0..12),
    )
        .prop_map(|(sort, filters, archived, limit, meanwhile)| Walk { sort, filters, archived, limit, meanwhile })
}

fn text<'a>(client: &'a Value, member: &str) -> Option<&'a str> {
    client[member].as_str()
}

fn country(client: &Value) -> Option<&str> {
    client["main_address"]["country"].as_str()
}

fn email(client: &Value) -> Option<String> {
    client["emails"][0]["address"].as_str().map(str::to_lowercase)
}

/// A filter as it is asked for, and what it means.
struct Asked {
    query: &'static str,
    holds: fn(&Value) -> bool,
}

const FILTERS: [Asked; 15] = [
    Asked { query: "status=active", holds: |c| c["status"] == "active" },
    Asked { query: "status[ne]=active", holds: |c| c["status"] != "active" },
    Asked { query: "country=GR", holds: |c| country(c) == Some("GR") },
    Asked { query: "country[ne]=GR", holds: |c| country(c) != Some("GR") },
    Asked { query: "country[in]=GR,CY", holds: |c| matches!(country(c), Some("GR" | "CY")) },
    Asked { query: "country[is_null]=true", holds: |c| country(c).is_none() },
    Asked { query: "email[is_null]=false", holds: |c| email(c).is_some() },
    Asked { query: "email=INFO@papa.gr", holds: |c| email(c).as_deref() == Some("info@papa.gr") },
    Asked { query: "tax_number[gte]=EL2", holds: |c| text(c, "tax_number").is_some_and(|number| number >= "EL2") },
    Asked { query: "tax_number[lt]=EL2", holds: |c| text(c, "tax_number").is_some_and(|number| number < "EL2") },
    Asked { query: "acquisition_stage[ne]=lead", holds: |c| text(c, "acquisition_stage") != Some("lead") },
    Asked { query: "lead_category[in]=hot,cold", holds: |c| matches!(text(c, "lead_category"), Some("hot" | "cold")) },
    Asked { query: "name[like]=ΠΑΠΆ", holds: |c| kernel::text::fold(text(c, "name").unwrap()).contains("παπα") },
    Asked { query: "kind=person", holds: |c| c["kind"] == "person" },
    Asked {
        query: "q=Πάπ", holds: |c| kernel::text::words(text(c, "name").unwrap()).iter().any(|word| word.starts_with("παπ"))
    },
];

impl Walk {
    fn query(&self) -> String {
        let sort: Vec<String> = self.sort.iter().map(|(name, down)| format!("{}{name}", if *down { "-" } else { "" })).collect();
        let mut query = format!("sort={}&archived={}", sort.join(","), self.archived);
        for filter in self.filters.iter().collect::<BTreeSet<_>>() {
            query = format!("{query}&{}", FILTERS[*filter].query);
        }
        query
    }

    fn matches(&self, client: &Value) -> bool {
        let archived = match self.archived {
            "false" => client["archived_at"].is_null(),
            "only" => !client["archived_at"].is_null(),
            _ => true,
        };
        archived && self.filters.iter().all(|filter| (FILTERS[*filter].holds)(client))
    }

    /// What the documentation says of the order: what is empty comes last going up and first going down, the id breaks ties.
    fn order(&self, one: &Value, other: &Value) -> Ordering {
        for (name, down) in &self.sort {
            let by_key = match (key(one, name), key(other, name)) {
                (Some(one), Some(other)) => one.cmp(&other),
                (None, None) => Ordering::Equal,
                (None, _) => Ordering::Greater,
                (_, None) => Ordering::Less,
            };
            let by_key = if *down { by_key.reverse() } else { by_key };
            if by_key != Ordering::Equal {
                return by_key;
            }
        }
        let by_id = text(one, "id").cmp(&text(other, "id"));
        if self.sort.last().is_some_and(|(_, down)| *down) { by_id.reverse() } else { by_id }
    }

    fn sorts_by(&self, name: &str) -> bool {
        self.sort.iter().any(|(sorted, _)| *sorted == name)
    }
}

fn key(client: &Value, name: &str) -> Option<String> {
    match name {
        "name" => text(client, "name").map(kernel::text::fold),
        "email" => email(client),
        "country" => country(client).map(str::to_owned),
        "created_at" | "updated_at" => {
            let at = chrono::DateTime::parse_from_rfc3339(text(client, name).unwrap()).unwrap();
            Some(format!("{:020}", at.timestamp_micros()))
        }
        other => text(client, other).map(str::to_owned),
    }
}

/// A client with few distinct values, so that there are many ties, and many empty ones.
fn random_client(seed: usize) -> Value {
    let pick = |list: &[Value], salt: usize| list[(seed / salt) % list.len()].clone();
    json!({
        "kind": pick(&[json!("company"), json!("person")], 7),
        "name": NAMES[seed % NAMES.len()],
        "status": pick(&[json!("active"), json!("inactive"), json!("active")], 3),
        "emails": pick(&[json!([]), json!([{ "kind": "work", "address": "Info@Papa.gr" }]), json!([{ "kind": "work", "address": "a@b.gr" }])], 2),
        "tax_number": pick(&[json!(null), json!("EL1"), json!("EL2"), json!("EL20"), json!(null)], 1),
        "main_address": pick(&[json!(null), json!({ "country": "GR" }), json!({ "country": "CY" }), json!({ "city": "Berlin" })], 5),
        "acquisition_stage": pick(&[json!(null), json!("lead"), json!("qualified")], 4),
        "lead_category": pick(&[json!("hot"), json!(null), json!("cold")], 6),
    })
}

/// Makes many clients; those of one call are made at the same moment.
async fn seed(app: &TestApp, model: &mut Model) {
    for batch in 0..6_usize {
        let operations: Vec<Value> =
            (0..10).map(|number| json!({ "op": "create", "data": random_client(batch * 131 + number * 17) })).collect();
        let made =
            app.post("/v1/clients/bulk", &app.admin, &json!({ "atomic": true, "operations": operations })).await.expect(200);
        for result in made.body["results"].as_array().unwrap() {
            assert_eq!(result["status"], 201, "{}", made.text);
            model.insert(result["id"].as_str().unwrap().to_owned(), result["data"].clone());
        }
    }
}

/// Another one's change. Returns the record that was changed, unless it is one that nothing must hold for.
async fn meanwhile(app: &TestApp, model: &mut Model, what: Meanwhile, number: usize) -> Option<String> {
    let path = |id: &str| format!("/v1/clients/{id}");
    let pick = |archived: Option<bool>| {
        let fitting: Vec<&String> = model
            .iter()
            .filter(|(_, c)| archived.is_none_or(|archived| c["archived_at"].is_string() == archived))
            .map(|(id, _)| id)
            .collect();
        (!fitting.is_empty()).then(|| fitting[number % fitting.len()].clone())
    };
    let id = match what {
        Meanwhile::Insert => {
            let made = app.post("/v1/clients", &app.admin, &random_client(number % 100_000)).await.expect(201);
            let id = made.id();
            model.insert(id.clone(), made.body);
            return Some(id);
        }
        Meanwhile::Touch | Meanwhile::Archive => pick(Some(false))?,
        Meanwhile::Restore => pick(Some(true))?,
        Meanwhile::Purge => pick(None)?,
    };
    match what {
        Meanwhile::Touch => {
            let changed =
                app.patch(&path(&id), &app.admin, &json!({ "website": format!("https://{number}.example") })).await.expect(200);
            model.insert(id.clone(), changed.body);
        }
        Meanwhile::Archive => {
            app.delete(&path(&id), &app.admin).await.expect(204);
            model.insert(id.clone(), app.get(&path(&id), &app.admin).await.expect(200).body);
        }
        Meanwhile::Restore => {
            let restored = app.act(&format!("{}/restore", path(&id)), &app.admin).await.expect(200);
            model.insert(id.clone(), restored.body);
        }
        Meanwhile::Purge => {
            app.delete(&path(&id), &app.admin).await.expect(204);
            app.act(&format!("{}/purge", path(&id)), &app.admin).await.expect(204);
            model.remove(&id);
        }
        Meanwhile::Insert => {}
    }
    Some(id)
}

async fn page(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/v1/clients?{query}"), &app.admin).await.expect(200).body
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|client| client["id"].as_str().unwrap().to_owned()).collect()
}

async fn check(app: &TestApp, model: &mut Model, walk: &Walk) {
    let before: BTreeSet<String> = model.iter().filter(|(_, c)| walk.matches(c)).map(|(id, _)| id.clone()).collect();
    let (mut seen, mut moved, mut cursor) = (Vec::new(), BTreeSet::new(), None);
    let mut others = walk.meanwhile.iter();
    loop {
        let after = cursor.map(|cursor: String| format!("&cursor={cursor}")).unwrap_or_default();
        let page = page(app, &format!("{}&limit={}{after}", walk.query(), walk.limit)).await;
        let got = ids(&page);
        assert!(got.len() <= walk.limit);
        seen.extend(got);
        assert_eq!(page["page"]["has_more"], page["page"]["next_cursor"].is_string());
        let Some(next) = page["page"]["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
        for (what, number) in others.by_ref().take(2) {
            if let Some(id) = meanwhile(app, model, *what, *number).await
                && (!matches!(what, Meanwhile::Touch) || walk.sorts_by("updated_at"))
            {
                moved.insert(id);
            }
        }
    }

    // whoever was there throughout, and was not moved by a change of what is sorted by
    let stayed: BTreeSet<&String> =
        before.iter().filter(|id| !moved.contains(*id) && model.get(*id).is_some_and(|c| walk.matches(c))).collect();
    let survivors: Vec<&String> = seen.iter().filter(|id| stayed.contains(id)).collect();
    let mut expected: Vec<&Value> = stayed.iter().map(|id| &model[*id]).collect();
    expected.sort_by(|one, other| walk.order(one, other));
    let expected: Vec<&str> = expected.iter().map(|client| text(client, "id").unwrap()).collect();
    assert_eq!(survivors, expected, "{walk:?}");

    let mut once = BTreeSet::new();
    for id in &seen {
        assert!(once.insert(id) || (walk.sorts_by("updated_at") && moved.contains(id)), "{id} twice: {walk:?}");
    }
    // one big page now says the same, of everybody
    assert!(model.len() < 200, "{}", model.len());
    let big = page(app, &format!("{}&limit=200&count=exact", walk.query())).await;
    let mut now: Vec<&Value> = model.values().filter(|c| walk.matches(c)).collect();
    now.sort_by(|one, other| walk.order(one, other));
    let now: Vec<&str> = now.iter().map(|client| text(client, "id").unwrap()).collect();
    assert_eq!(ids(&big), now, "{walk:?}");
    assert_eq!(big["page"]["total"], now.len());
    let big_survivors: Vec<String> = ids(&big).into_iter().filter(|id| stayed.contains(id)).collect();
    assert_eq!(survivors.into_iter().cloned().collect::<Vec<_>>(), big_survivors);
}

#[test]
fn walking_all_pages_of_any_list_sees_every_record_that_stays_exactly_once_and_in_order_while_others_write() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::spawn());
    let mut model = Model::new();
    runtime.block_on(seed(&app, &mut model));
    let model = std::cell::RefCell::new(model);
    let mut runner = TestRunner::new(Config { cases: 24, max_shrink_iters: 30, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&walks(), |walk| {
        let checked = std::panic::AssertUnwindSafe(|| runtime.block_on(check(&app, &mut model.borrow_mut(), &walk)));
        std::panic::catch_unwind(checked).map_err(|_| TestCaseError::fail("the walk is printed above"))
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn empty_values_come_last_going_up_and_first_going_down() {
    let app = TestApp::spawn().await;
    for (name, number) in [("b", json!("1")), ("a", json!(null)), ("c", json!("2")), ("d", json!(null))] {
        app.post("/v1/clients", &app.admin, &json!({ "kind": "company", "name": name, "tax_number": number })).await.expect(201);
    }
    let names = async |query: &str| {
        let page = page(&app, query).await;
        page["data"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(names("sort=tax_number,name").await, "bcad");
    assert_eq!(names("sort=-tax_number,name").await, "adcb");
    assert_eq!(names("sort=-tax_number,-name").await, "dacb");
}

#[tokio::test]
async fn walking_the_audit_trail_sees_every_entry_once_though_reading_is_all_that_happens_meanwhile() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "Άλφα").await;
    for number in 0..12 {
        app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "sector": number.to_string() })).await.expect(200);
    }
    for sort in ["at", "-at"] {
        let (mut numbers, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/v1/clients/{id}/audit?sort={sort}&limit=5{cursor}"), &app.admin).await.expect(200).body;
            numbers.extend(page["data"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()));
            let Some(next) = page["page"]["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(numbers.len(), 13);
        assert!(numbers.is_sorted_by(|one, other| if sort == "at" { one < other } else { one > other }), "{numbers:?}");
    }
}
