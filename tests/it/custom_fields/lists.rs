//! Lists know custom fields as they know built-in ones: each filter lets through what a model of it does, and each sort walked page by page
//! is the model's order, whatever way a page is found.
//!
//! Faults that were put in to see it fail: records without a value left out of a sort, a cursor that forgets the number, `ne` that leaves out
//! what is empty, a range of texts that lets through what is empty, a text that is compared to its beginning alone.

use std::cmp::Ordering;

use harness::{Session, TestApp};
use serde_json::{Value, json};

use super::{client, field, field_of, names, options};

/// How many clients: more than are gathered in debug builds, so that both ways to a page are gone.
const CLIENTS: usize = 40;
const WORDS: [&str; 7] = ["Άλφα", "βήτα", "ΓΆΜΜΑ", "delta", "Épsilon", "zeta_1", "100%"];

async fn world() -> (TestApp, Vec<Value>) {
    let app = TestApp::spawn().await;
    for (key, field_type, more) in [
        ("word", "text", json!({})),
        ("seats", "number", json!({})),
        ("budget", "money", json!({})),
        ("since", "date", json!({})),
        ("seen", "datetime", json!({})),
        ("vip", "boolean", json!({})),
        ("regime", "select", options(&["normal", "exempt", "reduced"])),
        ("areas", "multi_select", options(&["north", "south", "west"])),
    ] {
        field(&app, key, field_type, more).await;
    }
    let mut operations = Vec::new();
    for n in 0..CLIENTS {
        let mut values = serde_json::Map::new();
        let mut put = |key: &str, every: usize, value: Value| {
            // some have none
            if !(n * 7 + key.len()).is_multiple_of(every) {
                values.insert(key.to_owned(), value);
            }
        };
        put(
            "word",
            4,
            json!(format!("{}{}", WORDS[n % 7], if n % 11 == 0 { "x".repeat(500) + " τέλος" } else { String::new() })),
        );
        put("seats", 5, json!((f64::from(u32::try_from(n * 13 % 17).unwrap()) - 8.0) / 4.0));
        let currency = if n % 3 == 0 { "EUR" } else { "JPY" };
        let amount = if n % 3 == 0 { format!("{}.50", n * 5 % 9) } else { (n * 5 % 9).to_string() };
        put("budget", 6, json!({ "amount": amount, "currency": currency }));
        put("since", 3, json!(format!("20{:02}-0{}-15", n % 4 + 20, n % 9 + 1)));
        put("seen", 4, json!(format!("2026-03-0{}T10:00:0{}Z", n % 5 + 1, n % 7)));
        put("vip", 2, json!(n % 3 == 0));
        put("regime", 9, json!(["normal", "exempt", "reduced"][n % 3]));
        put("areas", 3, json!(if n % 2 == 0 { vec!["north", "west"] } else { vec!["south"] }));
        operations.push(json!({ "op": "create", "data": {
            "kind": "company", "name": format!("client {n:02}"), "status": if n % 5 == 0 { "inactive" } else { "active" },
            "custom_fields": values,
        } }));
    }
    app.post("/v1/clients/bulk", &app.admin, &json!({ "atomic": true, "operations": operations })).await.expect(200);
    let all = app.get("/v1/clients?limit=200&sort=name", &app.admin).await.expect(200).body;
    let all = all["data"].as_array().unwrap().clone();
    assert_eq!(all.len(), CLIENTS);
    (app, all)
}

fn value<'v>(client: &'v Value, key: &str) -> Option<&'v Value> {
    client["custom_fields"].get(key)
}

fn folded(client: &Value, key: &str) -> Option<String> {
    value(client, key).map(|text| kernel::text::fold(text.as_str().unwrap()))
}

fn number(client: &Value, key: &str) -> Option<f64> {
    value(client, key).and_then(Value::as_f64)
}

fn euros(client: &Value) -> Option<f64> {
    let budget = value(client, "budget").filter(|budget| budget["currency"] == "EUR")?;
    budget["amount"].as_str().unwrap().parse().ok()
}

fn text<'v>(client: &'v Value, key: &str) -> Option<&'v str> {
    value(client, key).and_then(Value::as_str)
}

/// A filter, and what it lets through.
type Asked = (&'static str, fn(&Value) -> bool);

const ASKED: &[Asked] = &[
    ("cf[word]=ΑΛΦΑ", |c| folded(c, "word").as_deref() == Some("αλφα")),
    ("cf[word][ne]=delta", |c| folded(c, "word").as_deref() != Some("delta")),
    ("cf[word][in]=delta,epsilon,nobody", |c| matches!(folded(c, "word").as_deref(), Some("delta" | "epsilon"))),
    ("cf[word][like]=γαμ", |c| folded(c, "word").is_some_and(|word| word.contains("γαμ"))),
    // behind what is compared of a long text
    ("cf[word][like]=τελοσ", |c| folded(c, "word").is_some_and(|word| word.contains("τελοσ"))),
    ("cf[word][like]=a_1", |c| folded(c, "word").is_some_and(|word| word.contains("a_1"))),
    ("cf[word][gt]=delta", |c| folded(c, "word").is_some_and(|word| word.as_str() > "delta")),
    ("cf[word][lte]=delta", |c| folded(c, "word").is_some_and(|word| word.as_str() <= "delta")),
    ("cf[word][is_null]=true", |c| value(c, "word").is_none()),
    ("cf[word][is_null]=false", |c| value(c, "word").is_some()),
    ("cf[seats]=0.25", |c| number(c, "seats") == Some(0.25)),
    ("cf[seats][gte]=-0.5&cf[seats][lt]=1", |c| number(c, "seats").is_some_and(|seats| (-0.5..1.0).contains(&seats))),
    ("cf[seats][ne]=0.25", |c| number(c, "seats") != Some(0.25)),
    ("cf[seats][in]=0.25,-1,2", |c| matches!(number(c, "seats"), Some(seats) if [0.25, -1.0, 2.0].contains(&seats))),
    ("cf[budget]=6.50 EUR", |c| euros(c) == Some(6.5)),
    ("cf[budget][gte]=3.00 EUR", |c| euros(c).is_some_and(|euros| euros >= 3.0)),
    ("cf[since]=2021-06-15", |c| text(c, "since") == Some("2021-06-15")),
    ("cf[since][gt]=2021-12-31", |c| text(c, "since").is_some_and(|day| day > "2021-12-31")),
    ("cf[since][is_null]=true&status=active", |c| value(c, "since").is_none() && c["status"] == "active"),
    ("cf[seen][lte]=2026-03-02T12:00:00%2B02:00", |c| text(c, "seen").is_some_and(|at| at <= "2026-03-02T10:00:00Z")),
    ("cf[vip]=true", |c| value(c, "vip") == Some(&json!(true))),
    ("cf[vip][ne]=true", |c| value(c, "vip") != Some(&json!(true))),
    ("cf[regime]=exempt!", |c| text(c, "regime") == Some("exempt")),
    ("cf[regime][in]=exempt,normal&cf[vip]=false", |c| {
        matches!(text(c, "regime"), Some("exempt" | "normal")) && value(c, "vip") == Some(&json!(false))
    }),
    ("cf[areas]=west", |c| value(c, "areas").is_some_and(|areas| areas.as_array().unwrap().contains(&json!("west")))),
    ("cf[areas][in]=west,north", |c| value(c, "areas").is_some_and(|areas| areas.as_array().unwrap().contains(&json!("north")))),
    ("cf[areas][is_null]=false&cf[vip][is_null]=true", |c| value(c, "areas").is_some() && value(c, "vip").is_none()),
    ("cf[areas][ne]=south", |c| value(c, "areas") != Some(&json!(["south"]))),
    ("cf[areas][is_null]=true", |c| value(c, "areas").is_none()),
];

const SORTS: [&str; 7] = ["word", "seats", "budget", "since", "seen", "vip", "regime"];

/// As the list compares: what is empty comes after everything else.
fn compare(key: &str, a: &Value, b: &Value) -> Ordering {
    let order = |a: &Value, b: &Value| match key {
        "seats" => a.as_f64().unwrap().total_cmp(&b.as_f64().unwrap()),
        "budget" => {
            let parts =
                |v: &Value| (v["currency"].as_str().unwrap().to_owned(), v["amount"].as_str().unwrap().parse::<f64>().unwrap());
            let ((ac, aa), (bc, ba)) = (parts(a), parts(b));
            ac.cmp(&bc).then(aa.total_cmp(&ba))
        }
        "vip" => a.as_bool().cmp(&b.as_bool()),
        "word" => kernel::text::fold(a.as_str().unwrap()).cmp(&kernel::text::fold(b.as_str().unwrap())),
        _ => a.as_str().cmp(&b.as_str()),
    };
    match (value(a, key), value(b, key)) {
        (Some(a), Some(b)) => order(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// All pages of a list, by names.
async fn walked(app: &TestApp, session: &Session, query: &str, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/v1/clients?limit={limit}&{query}{cursor}"), session).await.expect(200).body;
        found.extend(page["data"].as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()));
        match page["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn every_filter_lets_through_what_it_says_whatever_the_sort() {
    let (app, all) = world().await;
    for (query, holds) in ASKED {
        let expected: Vec<&str> = all.iter().filter(|c| holds(c)).map(|c| c["name"].as_str().unwrap()).collect();
        assert!(!expected.is_empty() && expected.len() < CLIENTS, "{query} tells nothing apart");
        assert_eq!(walked(&app, &app.admin, &format!("{query}&sort=name"), 7).await, expected, "{query}");
        let counted = app.get(&format!("/v1/clients?{query}&count=exact&limit=1"), &app.admin).await.expect(200);
        assert_eq!(counted.body["page"]["total"], expected.len(), "{query}");
        for sort in ["cf[seats]", "-cf[word]", "cf[regime],-name", "-created_at"] {
            let mut found = walked(&app, &app.admin, &format!("{query}&sort={sort}"), 7).await;
            found.sort();
            assert_eq!(found, expected, "{query} by {sort}");
        }
    }
}

#[tokio::test]
async fn every_sort_walked_page_by_page_is_the_order_of_the_values_with_what_is_empty_behind() {
    let (app, all) = world().await;
    for key in SORTS {
        for (sign, limit) in [("", 3), ("-", 7), ("", 40), ("-", 39)] {
            let found = walked(&app, &app.admin, &format!("sort={sign}cf[{key}]"), limit).await;
            assert_eq!(found.len(), CLIENTS, "{key}: each comes once");
            let of = |name: &String| all.iter().find(|c| c["name"] == name.as_str()).unwrap();
            let order: Vec<Ordering> = found.windows(2).map(|pair| compare(key, of(&pair[0]), of(&pair[1]))).collect();
            let against = if sign == "-" { Ordering::Less } else { Ordering::Greater };
            // of long texts that begin alike the order is any, but the same
            assert!(key == "word" || !order.contains(&against), "{sign}{key}: {found:?}");
            let mut names = found.clone();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), CLIENTS, "{key}");
        }
        // with another key behind it, in both directions
        let found = walked(&app, &app.admin, &format!("sort=cf[{key}],-name&status=active"), 5).await;
        let mut expected: Vec<&Value> = all.iter().filter(|c| c["status"] == "active").collect();
        if key != "word" {
            expected.sort_by(|a, b| compare(key, a, b).then(b["name"].as_str().cmp(&a["name"].as_str())));
            assert_eq!(found, expected.iter().map(|c| c["name"].as_str().unwrap()).collect::<Vec<_>>(), "{key}");
        }
        let behind = walked(&app, &app.admin, &format!("sort=status,cf[{key}]"), 5).await;
        assert_eq!(behind.len(), CLIENTS, "{key}");
    }
}

#[tokio::test]
async fn a_search_and_a_scope_hold_beside_custom_fields() {
    let (app, all) = world().await;
    app.role(&app.admin, "own", &["clients.view_own"]).await;
    let own = app.member(&app.admin, "own", "own@example.com").await;
    let mine: Vec<&Value> = all.iter().step_by(2).collect();
    for client in &mine {
        let path = format!("/v1/clients/{}", client["id"].as_str().unwrap());
        app.patch(&path, &app.admin, &json!({ "owner_id": own.user_id })).await.expect(200);
    }
    for query in ["sort=cf[seats]", "sort=-cf[word]&q=client", "cf[vip]=true&sort=-cf[seats]", "cf[seats][gt]=0&q=client"] {
        let seen = walked(&app, &own, query, 6).await;
        let all: Vec<String> = walked(&app, &app.admin, query, 6).await;
        let expected: Vec<&String> = all.iter().filter(|name| mine.iter().any(|c| c["name"] == name.as_str())).collect();
        assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let other = app.second_workspace("other").await;
    field_of(&app, &other, "client", "seats", "number", json!({})).await;
    assert_eq!(walked(&app, &other, "sort=cf[seats]", 6).await, Vec::<String>::new());
    app.get("/v1/clients?cf[word]=x", &other).await.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_all_at_once_with_what_can() {
    let app = TestApp::spawn().await;
    field(&app, "seats", "number", json!({})).await;
    field(&app, "areas", "multi_select", options(&["north"])).await;
    field(&app, "word", "text", json!({})).await;
    client(&app, "A", json!({})).await;
    let query = "cf[colour]=red&cf[seats]=many&cf[seats][like]=1&cf[areas][gt]=north&cf[word][starts]=a&nothing=1&limit=0&sort=cf[areas],cf[colour],bad";
    let refused = app.get(&format!("/v1/clients?{query}"), &app.admin).await.expect_problem(422, "validation_failed");
    assert_eq!(
        refused.pointers(),
        [
            "?cf[areas][gt]",
            "?cf[colour]",
            "?cf[seats]",
            "?cf[seats][like]",
            "?cf[word][starts]",
            "?limit",
            "?nothing",
            "?sort",
            "?sort",
            "?sort"
        ]
    );
    assert!(refused.body.to_string().contains("there are seats, areas, word"), "{}", refused.body);
    for wrong in ["cf[]=1", "cf[seats=1", "cf[seats]x=1", "cf[seats][gte=1", "cf=1", "cf[seats][gte][lt]=1"] {
        app.get(&format!("/v1/clients?{wrong}"), &app.admin).await.expect_problem(422, "validation_failed");
    }
    app.get("/v1/users?cf[seats]=1", &app.admin).await.expect_problem(422, "validation_failed");
    for wrong in ["cf[areas]=north,north", "cf[word]=", "cf[word]=%F4%8F%BF%BF%F4%8F%BF%BF", "cf[seats]="] {
        let refused = app.get(&format!("/v1/clients?{wrong}"), &app.admin).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], "invalid_value", "{wrong}");
    }
    let last = json!({ "kind": "company", "name": "Last", "custom_fields": { "word": "\u{10FFFF}\u{10FFFF}" } });
    app.post("/v1/clients", &app.admin, &last).await.expect_problem(422, "validation_failed");
    let sorts = ["name"; 11].join(",");
    app.get(&format!("/v1/clients?sort={sorts}"), &app.admin).await.expect_problem(422, "validation_failed");
    let many: Vec<String> = (0..31).map(|n| format!("cf[seats][ne]={n}")).collect();
    app.get(&format!("/v1/clients?{}", many.join("&")), &app.admin).await.expect_problem(422, "validation_failed");
    // a cursor is of its sort and filter
    client(&app, "B", json!({ "seats": 1 })).await;
    let page = app.get("/v1/clients?sort=cf[seats]&limit=1", &app.admin).await.expect(200).body;
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    for other in ["sort=-cf[seats]", "sort=cf[word]", "sort=cf[seats]&cf[seats][gt]=0"] {
        app.get(&format!("/v1/clients?{other}&limit=1&cursor={cursor}"), &app.admin).await.expect_problem(422, "invalid_cursor");
    }
    assert_eq!(names(&app, &app.admin, &format!("sort=cf[seats]&cursor={cursor}")).await, ["A"]);
}

/// How records are found is guessed from a moment ago; what is found is not.
#[tokio::test]
async fn a_list_that_few_passed_a_moment_ago_is_whole_when_many_have_come() {
    let app = TestApp::spawn().await;
    app.patch("/v1/settings", &app.admin, &json!({ "duplicates.on_create": "off" })).await.expect(200);
    field(&app, "regime", "text", json!({})).await;
    field(&app, "seats", "number", json!({})).await;
    let many = |from: usize, to: usize| (from..to).map(|n| format!("C{n:02}")).collect::<Vec<_>>();
    for n in 0..3 {
        client(&app, &format!("C{n:02}"), json!({ "regime": "normal", "seats": n })).await;
    }
    let asked = ["cf[regime]=normal&sort=cf[seats]", "cf[regime]=normal&sort=name"];
    for query in asked {
        assert_eq!(names(&app, &app.admin, query).await, many(0, 3));
    }
    for n in 3..30 {
        client(&app, &format!("C{n:02}"), json!({ "regime": "normal", "seats": n })).await;
    }
    for query in asked {
        assert_eq!(names(&app, &app.admin, query).await, many(0, 30), "{query}");
        let csv = app.get(&format!("/v1/clients/export?columns=name&{query}"), &app.admin).await.expect(200);
        assert_eq!(csv.text.lines().skip(1).collect::<Vec<_>>(), many(0, 30), "{query}");
    }
    // and the other way round
    for client in
        app.get("/v1/clients?limit=200&sort=-name", &app.admin).await.expect(200).body["data"].as_array().unwrap().iter().take(29)
    {
        app.delete(&format!("/v1/clients/{}", client["id"].as_str().unwrap()), &app.admin).await.expect(204);
    }
    for query in asked {
        assert_eq!(names(&app, &app.admin, query).await, many(0, 1), "{query}");
    }
}
