//! Settings: what a workspace says, what the installation says where it says nothing, and what holds otherwise.

use chrono::Duration;
use harness::{Answer, Engine, Session, TestApp};
use kernel::Clock as _;
use serde_json::{Value, json};
use store::dialect::ddl;

const OWN: &str = "/v1/settings";
const ALL: &str = "/v1/installation/settings";

/// Value and source of a setting in an answer.
fn of(answer: &Answer, key: &str) -> (Value, String) {
    let found = answer.body["data"].as_array().unwrap().iter().find(|setting| setting["key"] == key);
    let found = found.unwrap_or_else(|| panic!("no {key} in {}", answer.text));
    (found["value"].clone(), found["source"].as_str().unwrap().to_owned())
}

async fn setting(app: &TestApp, by: &Session, key: &str) -> (Value, String) {
    of(&app.get(OWN, by).await.expect(200), key)
}

fn from(value: Value, source: &str) -> (Value, String) {
    (value, source.to_owned())
}

/// Seen to fail with the installation asked first, with a default that is written down, and with an explicit `false` that counts as nothing.
#[tokio::test]
async fn a_workspaces_value_goes_before_the_installations_and_that_before_the_default() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let key = "tokens.require_networks";
    assert_eq!(setting(&app, &main, key).await, from(json!(false), "default"));
    let unsaid = app.get(ALL, &main).await.expect(200);
    assert_eq!(app.patch_if(ALL, &main, &unsaid.etag(), &json!({ key: null })).await.expect(200).etag(), unsaid.etag());
    let said = app.patch_if(ALL, &main, &unsaid.etag(), &json!({ key: true })).await.expect(200);
    app.patch_if(ALL, &main, &unsaid.etag(), &json!({ key: false })).await.expect_problem(412, "stale");
    assert_eq!(of(&said, key), from(json!(true), "installation"));
    assert_eq!(setting(&app, &main, key).await, from(json!(true), "installation"));
    app.patch(OWN, &main, &json!({ key: false })).await.expect(200);
    assert_eq!(setting(&app, &main, key).await, from(json!(false), "workspace"));
    assert_eq!(setting(&app, &other, key).await, from(json!(true), "installation"));
    // null goes back, one after the other
    let back = app.patch(OWN, &main, &json!({ key: null })).await.expect(200);
    assert_eq!(of(&back, key), from(json!(true), "installation"));
    app.patch(ALL, &main, &json!({ key: null })).await.expect(200);
    assert_eq!(setting(&app, &main, key).await, from(json!(false), "default"));
    assert_eq!(app.db.rows("SELECT CAST(settings AS text) FROM workspace ORDER BY slug").await, ["{}", "{}"]);

    // every setting says what it is, in the same order; those of workspaces alone are none of the installation's
    let list = app.get(OWN, &main).await.expect(200);
    let keys = |answer: &Answer| -> Vec<String> {
        answer.body["data"].as_array().unwrap().iter().map(|setting| setting["key"].as_str().unwrap().to_owned()).collect()
    };
    let all: Vec<&str> = auth::settings::SETTINGS.iter().map(|setting| setting.key).collect();
    assert_eq!(keys(&list), all);
    let of_installation = keys(&app.get(ALL, &main).await.expect(200));
    assert_eq!(
        of_installation,
        [
            "require_if_match",
            "file_kinds",
            "second_factor_roles",
            "phones.default_country",
            "duplicates.on_create",
            "tokens.max_days",
            key
        ]
    );
    for setting in list.body["data"].as_array().unwrap() {
        assert!(!setting["description"].as_str().unwrap().is_empty());
        assert_eq!((&setting["value"], &setting["source"]), (&setting["default"], &json!("default")), "{setting}");
    }
}

#[tokio::test]
async fn members_read_settings_and_who_manages_them_changes_them_each_in_their_workspace() {
    let app = TestApp::spawn().await;
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    app.role(&app.admin, "keeper", &["admin.manage_settings"]).await;
    let keeper = app.member(&app.admin, "keeper", "keeper@example.com").await;
    let patch = json!({ "tokens.max_days": 30 });
    app.get(OWN, &viewer).await.expect(200);
    app.patch(OWN, &viewer, &patch).await.expect_problem(403, "forbidden");
    for by in [&viewer, &keeper] {
        app.get(ALL, by).await.expect_problem(403, "forbidden");
        app.patch(ALL, by, &patch).await.expect_problem(403, "forbidden");
    }
    let token = app.token(&app.admin, &["admin.manage_settings"]).await;
    app.get(ALL, &token).await.expect_problem(403, "forbidden");
    let seen = app.get(OWN, &keeper).await.expect(200);
    let changed = app.patch(OWN, &keeper, &patch).await.expect(200);
    app.patch_if(OWN, &keeper, &seen.etag(), &json!({ "tokens.max_days": 9 })).await.expect_problem(412, "stale");
    app.patch_if(OWN, &keeper, &changed.etag(), &patch).await.expect(200);
    assert_eq!(app.actions_of(&app.workspace).await, ["create", "update"], "what changes nothing writes nothing");
    // what the installation says changes what is seen, and so the ETag, but not what guards a change
    let seen = app.get(OWN, &keeper).await.expect(200);
    app.patch(ALL, &app.admin, &json!({ "require_if_match": true })).await.expect(200);
    let again = app.get(OWN, &keeper).await.expect(200);
    assert_ne!(again.etag(), seen.etag());
    app.patch(OWN, &keeper, &patch).await.expect_problem(428, "if_match_required");
    app.patch_if(OWN, &keeper, &seen.etag(), &json!({ "tokens.max_days": 31 })).await.expect(200);
    assert_eq!(app.count("journal_entry WHERE record_type = 'installation_settings' AND action = 'update'").await, 1);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let wrong = json!({
        "require_if_match": "yes", "file_kinds": ["pdf", "exe", "pdf"], "second_factor_roles": "viewer", "mail.accent_color": "red",
        "mail.reply_to": "nobody", "mail.tagline": "x".repeat(201), "tokens.max_days": 0, "tokens.require_networks": 1,
        "no.such": 1, "mail": {},
    });
    let refused = app.patch(OWN, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    let expected = [
        "/file_kinds",
        "/file_kinds/1",
        "/mail",
        "/mail.accent_color",
        "/mail.reply_to",
        "/mail.tagline",
        "/no.such",
        "/require_if_match",
        "/second_factor_roles",
        "/tokens.max_days",
        "/tokens.require_networks",
    ];
    assert_eq!(refused.pointers(), expected);
    let wrong = json!({ "tokens.max_days": 3651, "mail.tagline": "not the installation's" });
    let refused = app.patch(ALL, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/mail.tagline", "/tokens.max_days"]);
    // roles that there are not, here and everywhere
    app.role(&app.admin, "own", &[]).await;
    let roles = json!({ "second_factor_roles": ["viewer", "captain", "own"], "tokens.max_days": 5 });
    let refused = app.patch(OWN, &app.admin, &roles).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/second_factor_roles/1"]);
    let refused = app.patch(ALL, &app.admin, &roles).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/second_factor_roles/1", "/second_factor_roles/2"]);
    assert_eq!(app.count("installation_settings").await, 0);
    assert_eq!(app.db.rows("SELECT CAST(settings AS text) FROM workspace").await, ["{}"]);
}

#[tokio::test]
async fn what_is_said_of_the_workspace_itself_is_the_same_as_its_settings() {
    let app = TestApp::spawn().await;
    let path = format!("/v1/workspaces/{}", app.workspace);
    let before = app.get(&path, &app.admin).await.expect(200);
    assert_eq!(before.body["settings"]["require_if_match"], false);
    let patch = json!({ "settings": { "require_if_match": false, "mail": { "tagline": "Our sea" }, "file_kinds": ["pdf"] } });
    app.patch(&path, &app.admin, &patch).await.expect(200);
    assert_eq!(setting(&app, &app.admin, "mail.tagline").await, from(json!("Our sea"), "workspace"));
    assert_eq!(setting(&app, &app.admin, "file_kinds").await, from(json!(["pdf"]), "workspace"));
    // said, though it is what holds anyway
    assert_eq!(setting(&app, &app.admin, "require_if_match").await, from(json!(false), "workspace"));
    app.patch(ALL, &app.admin, &json!({ "require_if_match": true, "second_factor_roles": ["support_lead"] })).await.expect(200);
    let seen = app.get(&path, &app.admin).await.expect(200);
    assert_ne!(seen.etag(), before.etag());
    let settings = &seen.body["settings"];
    assert_eq!((&settings["require_if_match"], &settings["second_factor_roles"]), (&json!(false), &json!(["support_lead"])));
    assert_eq!(settings["mail"], json!({ "accent_color": null, "tagline": "Our sea", "reply_to": null }));
    app.upload(&app.admin, &[], "a.txt", b"text").await.expect_problem(422, "file_type_not_allowed");
    // and the other way
    let patch = json!({ "mail.tagline": null, "file_kinds": null, "mail.reply_to": "sea@example.com" });
    app.patch(OWN, &app.admin, &patch).await.expect(200);
    let settings = &app.get(&path, &app.admin).await.expect(200).body["settings"];
    assert_eq!(settings["mail"], json!({ "accent_color": null, "tagline": null, "reply_to": "sea@example.com" }));
    app.upload(&app.admin, &[], "a.txt", b"text").await.expect(201);
    app.patch(&path, &app.admin, &json!({ "settings": { "mail": { "reply_to": null } } })).await.expect(200);
    assert_eq!(setting(&app, &app.admin, "mail.reply_to").await, from(json!(null), "default"));
}

/// Seen to fail with identities that are kept over a change of the installation.
#[tokio::test]
async fn what_the_installation_asks_it_asks_in_every_workspace_at_once() {
    let app = TestApp::spawn().await;
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    app.get("/v1/clients", &viewer).await.expect(200);
    let asked = json!({ "second_factor_roles": ["viewer"], "require_if_match": true });
    app.patch(ALL, &app.admin, &asked).await.expect(200);
    app.get("/v1/clients", &viewer).await.expect_problem(403, "second_factor_needed");
    assert_eq!(app.get("/v1/me/second-factor", &viewer).await.expect(200).body["is_required"], true);
    let client = app.client(&app.admin, "X").await;
    let path = format!("/v1/clients/{client}");
    app.patch(&path, &app.admin, &json!({ "name": "Y" })).await.expect_problem(428, "if_match_required");
    // a workspace that says otherwise
    let seen = app.get(OWN, &app.admin).await.expect(200).etag();
    let otherwise = json!({ "second_factor_roles": [], "require_if_match": false });
    app.patch_if(OWN, &app.admin, &seen, &otherwise).await.expect(200);
    app.get("/v1/clients", &viewer).await.expect(200);
    app.patch(&path, &app.admin, &json!({ "name": "Y" })).await.expect(200);
}

/// Seen to fail without the limit where no expiry is named.
#[tokio::test]
async fn a_new_token_lives_no_longer_than_the_setting_says() {
    let app = TestApp::spawn().await;
    let endless = json!({ "name": "endless", "scopes": ["clients.view_all", "tokens.manage_own"] });
    let old = app.post("/v1/tokens", &app.admin, &endless).await.expect(201);
    assert_eq!(old.body["expires_at"], json!(null));
    app.patch(ALL, &app.admin, &json!({ "tokens.max_days": 10 })).await.expect(200);
    let until = |days: i64| (app.clock.now() + Duration::days(days) + Duration::minutes(5)).to_rfc3339();
    let body = |at: String| json!({ "name": "x", "scopes": ["clients.view_all"], "expires_at": at });
    let refused = app.post("/v1/tokens", &app.admin, &body(until(10))).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/expires_at"]);
    app.post("/v1/tokens", &app.admin, &body(until(9))).await.expect(201);
    let made = app.post("/v1/tokens", &app.admin, &endless).await.expect(201);
    let at: kernel::DateTime = made.body["expires_at"].as_str().unwrap().parse().unwrap();
    let left = at - app.clock.now();
    assert!(left <= Duration::days(10) && left > Duration::days(10) - Duration::minutes(1), "{left}");
    // a whole number is one however it is written, and nobody is locked out by what it looks like
    app.patch(ALL, &app.admin, &json!({ "tokens.max_days": 11.0 })).await.expect(200);
    assert_eq!(setting(&app, &app.admin, "tokens.max_days").await, from(json!(11), "installation"));
    app.patch(OWN, &app.admin, &json!({ "tokens.max_days": 11.5 })).await.expect_problem(422, "validation_failed");
    // of what the token that asks has and what there may be the earlier, and what was made before stays
    let old = Session::bearer(old.body["secret"].as_str().unwrap());
    let by_token = app.post("/v1/tokens", &old, &json!({ "name": "y", "scopes": ["clients.view_all"] })).await.expect(201);
    assert!(by_token.body["expires_at"].is_string(), "{}", by_token.text);
    app.patch(OWN, &app.admin, &json!({ "tokens.max_days": 3650 })).await.expect(200);
    app.post("/v1/tokens", &app.admin, &body(until(3000))).await.expect(201);
}

/// Seen to fail with the setting not asked.
#[tokio::test]
async fn a_workspace_can_want_every_new_token_to_name_its_networks() {
    let app = TestApp::spawn().await;
    let body = |networks: Value| json!({ "name": "x", "scopes": ["tags.none"], "networks": networks });
    let wrong = app.post("/v1/tokens", &app.admin, &body(json!([]))).await.expect_problem(422, "validation_failed");
    assert_eq!(wrong.pointers(), ["/scopes/0"]);
    app.patch(OWN, &app.admin, &json!({ "tokens.require_networks": true })).await.expect(200);
    let wrong = app.post("/v1/tokens", &app.admin, &body(json!([]))).await.expect_problem(422, "validation_failed");
    assert_eq!(wrong.pointers(), ["/networks", "/scopes/0"]);
    let silent = app.post("/v1/tokens", &app.admin, &json!({ "name": "x", "scopes": ["clients.view_all"] })).await;
    assert_eq!(silent.expect_problem(422, "validation_failed").pointers(), ["/networks"]);
    let named = json!({ "name": "x", "scopes": ["clients.view_all"], "networks": ["192.0.2.0/24"] });
    app.post("/v1/tokens", &app.admin, &named).await.expect(201);
    app.patch(OWN, &app.admin, &json!({ "tokens.require_networks": null })).await.expect(200);
    app.post("/v1/tokens", &app.admin, &json!({ "name": "x", "scopes": ["clients.view_all"] })).await.expect(201);
}

#[tokio::test]
async fn two_who_say_the_first_for_the_installation_at_once_are_both_heard() {
    let app = TestApp::spawn().await;
    let (days, block) = (json!({ "tokens.max_days": 7 }), json!({ "tokens.require_networks": true }));
    let (one, other) = tokio::join!(app.patch(ALL, &app.admin, &days), app.patch(ALL, &app.admin, &block));
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.text, other.text);
    let all = app.get(ALL, &app.admin).await.expect(200);
    assert_eq!(of(&all, "tokens.max_days"), from(json!(7), "installation"));
    assert_eq!(of(&all, "tokens.require_networks"), from(json!(true), "installation"));
    assert_eq!(app.count("installation_settings").await, 1);
}

/// What every workspace had written down before there were settings of the installation. Seen to fail with values of another kind that count.
#[tokio::test]
async fn what_nobody_had_said_is_not_taken_for_said_when_an_older_database_is_brought_up() {
    let app = TestApp::spawn().await;
    let old = r#"{"require_if_match":false,"file_kinds":["pdf"],"second_factor_roles":[],"mail":{"accent_color":null,"tagline":"Sea"}}"#;
    let literal = if app.db.engine == Engine::Postgres { format!("'{old}'::jsonb") } else { format!("'{old}'") };
    app.db.execute(&format!("UPDATE workspace SET settings = {literal}")).await.unwrap();
    let dialect = app.store().await.dialect();
    let defaults = [("require_if_match", "false"), ("second_factor_roles", "[]"), ("file_kinds", r#"["jpeg"]"#)];
    for statement in ddl::forget_members(dialect, "workspace", "settings", &defaults) {
        app.db.execute(&statement).await.unwrap();
    }
    app.patch(ALL, &app.admin, &json!({ "require_if_match": true })).await.expect(200);
    assert_eq!(setting(&app, &app.admin, "require_if_match").await, from(json!(true), "installation"));
    assert_eq!(setting(&app, &app.admin, "file_kinds").await, from(json!(["pdf"]), "workspace"));
    assert_eq!(setting(&app, &app.admin, "mail.tagline").await, from(json!("Sea"), "workspace"));
    assert_eq!(setting(&app, &app.admin, "mail.accent_color").await, from(json!(null), "default"));
    // what another version left and nobody can read counts as nothing
    let strange = old.replace("false", "\"perhaps\"").replace("pdf", "hologram");
    let literal = if app.db.engine == Engine::Postgres { format!("'{strange}'::jsonb") } else { format!("'{strange}'") };
    app.db.execute(&format!("UPDATE workspace SET settings = {literal}")).await.unwrap();
    let admin = app.sign_in("admin@example.com").await;
    assert_eq!(setting(&app, &admin, "file_kinds").await.1, "default");
    assert_eq!(setting(&app, &admin, "require_if_match").await, from(json!(true), "installation"));
    assert_eq!(setting(&app, &admin, "mail.tagline").await, from(json!("Sea"), "workspace"));
}
