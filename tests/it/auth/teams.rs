//! Teams: who makes them, who leads them, and who is in them.

use harness::{Answer, Session, TestApp};
use serde_json::{Value, json};

use super::membership_of;

async fn team(app: &TestApp, name: &str) -> String {
    app.post("/v1/teams", &app.admin, &json!({ "name": name })).await.expect(201).id()
}

async fn add(app: &TestApp, by: &Session, team: &str, who: &Session, role: &str) -> Answer {
    app.post(&format!("/v1/teams/{team}/members"), by, &json!({ "user_id": who.user_id, "role": role })).await
}

async fn load(app: &TestApp, by: &Session, team: &str, table: &str) -> Answer {
    let path = format!("/v1/teams/{team}/members/load");
    let request = app.request(reqwest::Method::POST, &path, by).header("content-type", "text/csv; charset=utf-8");
    app.send(request.body(table.to_owned())).await
}

#[tokio::test]
async fn a_team_is_made_renamed_and_deleted_and_its_name_is_its_own() {
    let app = TestApp::spawn().await;
    let made = app.post("/v1/teams", &app.admin, &json!({ "name": " Νότια ", "description": "Νησιά" })).await.expect(201);
    let path = format!("/v1/teams/{}", made.id());
    assert_eq!((made.header("location"), &made.body["name"]), (Some(path.as_str()), &json!("Νότια")));
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body, made.body);
    let refused = app.post("/v1/teams", &app.admin, &json!({ "name": "ΝΟΤΙΑ" })).await.expect_problem(409, "team_name_taken");
    assert_eq!(refused.pointers(), ["/name"]);
    let wrong = json!({ "name": "  ", "description": "x".repeat(1001) });
    let refused = app.post("/v1/teams", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/description", "/name"]);
    let north = team(&app, "Βόρεια").await;
    app.patch(&format!("/v1/teams/{north}"), &app.admin, &json!({ "name": "νότια" }))
        .await
        .expect_problem(409, "team_name_taken");

    let changed = app.patch_if(&path, &app.admin, &made.etag(), &json!({ "description": null })).await.expect(200);
    assert_eq!((&changed.body["name"], &changed.body["description"]), (&json!("Νότια"), &Value::Null));
    app.patch_if(&path, &app.admin, &made.etag(), &json!({ "name": "X" })).await.expect_problem(412, "stale");
    let names: Vec<_> = app.get("/v1/teams", &app.admin).await.expect(200).body["data"].as_array().unwrap().clone();
    assert_eq!(names.iter().map(|team| team["name"].as_str().unwrap()).collect::<Vec<_>>(), ["Βόρεια", "Νότια"]);

    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    add(&app, &app.admin, &made.id(), &nikos, "lead").await.expect(201);
    // to lead a team is not to own it
    app.patch(&path, &nikos, &json!({ "name": "Δικά μου" })).await.expect_problem(403, "forbidden");
    app.delete(&path, &nikos).await.expect_problem(403, "forbidden");
    app.delete(&path, &app.admin).await.expect(204);
    app.get(&path, &app.admin).await.expect_problem(404, "not_found");
    assert_eq!((app.count("team").await, app.count("team_member").await), (1, 0));
    assert_eq!(app.actions_of(&made.id()).await, ["create", "update", "delete"]);
    let id = app.db.uuid(&made.id());
    let members =
        format!("SELECT action FROM journal_entry WHERE subject_id = {id} AND record_type = 'team_member' ORDER BY number");
    assert_eq!(app.db.rows(&members).await, ["create", "delete"]);
}

#[tokio::test]
async fn a_lead_says_who_is_in_their_team_and_in_no_other() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (team(&app, "Ours").await, team(&app, "Theirs").await);
    app.role(&app.admin, "agent", &["clients.view_own", "tokens.manage_own"]).await;
    let lead = app.member(&app.admin, "agent", "lead@example.com").await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let eleni = app.member(&app.admin, "viewer", "eleni@example.com").await;
    add(&app, &app.admin, &ours, &lead, "lead").await.expect(201);
    let made = add(&app, &lead, &ours, &nikos, "member").await.expect(201);
    let path = format!("/v1/teams/{ours}/members/{}", nikos.user_id);
    assert_eq!((made.header("location"), &made.body["role"]), (Some(path.as_str()), &json!("member")));
    add(&app, &lead, &ours, &nikos, "member").await.expect_problem(409, "already_in_team");

    // who is in it sees it, and changes nothing
    let list = format!("/v1/teams/{ours}/members");
    let seen = app.get(&format!("{list}?include=user&sort=created_at"), &nikos).await.expect(200);
    let who: Vec<_> = seen.body["data"].as_array().unwrap().iter().map(|one| one["user_id"].as_str().unwrap()).collect();
    assert_eq!(who, [lead.user_id.as_str(), nikos.user_id.as_str()]);
    assert_eq!(seen.body["data"][1]["user"]["id"], nikos.user_id);
    add(&app, &nikos, &ours, &eleni, "member").await.expect_problem(403, "forbidden");
    app.patch(&path, &nikos, &json!({ "role": "lead" })).await.expect_problem(403, "forbidden");
    app.delete(&path, &nikos).await.expect_problem(403, "forbidden");
    // who is not does not
    app.get(&list, &eleni).await.expect_problem(404, "not_found");
    app.get(&format!("/v1/teams/{ours}"), &eleni).await.expect_problem(404, "not_found");
    assert_eq!(app.get("/v1/teams", &eleni).await.expect(200).body["data"], json!([]));
    for refused in [
        add(&app, &eleni, &ours, &eleni, "member").await,
        add(&app, &lead, &theirs, &nikos, "member").await,
        load(&app, &lead, &theirs, "email\nnikos@example.com\n").await,
        app.get(&format!("/v1/teams/{theirs}/members"), &lead).await,
    ] {
        refused.expect_problem(404, "not_found");
    }
    // a token of the lead's leads nothing
    let token = app.token(&lead, &["clients.view_own"]).await;
    add(&app, &token, &ours, &eleni, "member").await.expect_problem(404, "not_found");
    assert_eq!(app.count("team_member").await, 2);

    let etag = app.get(&path, &lead).await.expect(200).etag();
    app.patch_if(&path, &lead, &etag, &json!({ "role": "lead" })).await.expect(200);
    app.patch_if(&path, &lead, &etag, &json!({ "role": "member" })).await.expect_problem(412, "stale");
    add(&app, &nikos, &ours, &eleni, "member").await.expect(201);
    app.delete(&format!("/v1/teams/{ours}/members/{}", lead.user_id), &nikos).await.expect(204);
    // from now on the first lead is nobody in it
    app.get(&list, &lead).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn only_members_of_the_workspace_are_in_its_teams_and_who_leaves_it_leaves_them() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let team = app.post("/v1/teams", &main, &json!({ "name": "Ours" })).await.expect(201).id();
    let path = format!("/v1/teams/{team}/members");
    let stranger = app.member(&other, "viewer", "stranger@example.com").await;
    let nikos = app.member(&main, "viewer", "nikos@example.com").await;
    for who in [stranger.user_id.as_str(), "0192f0c1-2a6b-7cc3-98c4-0242ac120002"] {
        let refused = app.post(&path, &main, &json!({ "user_id": who })).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/user_id"]);
    }
    app.get(&format!("/v1/teams/{team}"), &other).await.expect_problem(404, "not_found");
    app.post(&path, &other, &json!({ "user_id": stranger.user_id })).await.expect_problem(404, "not_found");

    for round in 0..5 {
        // at once with their leaving they are in it and leave it, or do not come in
        let place = format!("/v1/memberships/{}", membership_of(&app, &main, &nikos.user_id).await);
        let body = json!({ "user_id": nikos.user_id });
        let (added, left) = tokio::join!(app.post(&path, &main, &body), app.delete(&place, &main));
        left.expect(204);
        assert!([201, 422].contains(&added.status), "{round}: {}", added.text);
        assert_eq!(app.count("team_member").await, 0, "{round}: {}", added.text);
        app.post("/v1/invitations", &main, &json!({ "email": "nikos@example.com", "role": "viewer" })).await.expect(201);
        let accept = json!({ "token": app.invitation_token("nikos@example.com").await });
        app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
    }
}

#[tokio::test]
async fn a_lead_loads_forty_members_from_a_table_and_is_told_of_each_row_that_is_wrong() {
    let app = TestApp::spawn().await;
    let team = team(&app, "Ours").await;
    let lead = app.member(&app.admin, "viewer", "lead@example.com").await;
    add(&app, &app.admin, &team, &lead, "lead").await.expect(201);
    // forty members, straight into the database: each invitation is a password to hash
    let (now, role) = ("(SELECT created_at FROM role WHERE key = 'viewer')", "(SELECT id FROM role WHERE key = 'viewer')");
    for number in 0..40 {
        let [user, membership] = std::array::from_fn(|_| app.db.uuid(&kernel::Runtime::system().uuid().to_string()));
        let address = format!("m{number}@example.com");
        let account = format!(
            "INSERT INTO user_account (id, email, email_key, given_name, family_name, name_key, timezone, locale, is_super_admin, \
             is_active, version, created_at, updated_at) VALUES ({user}, '{address}', '{address}', 'M', 'M', 'm', 'UTC', 'el', \
             false, true, 1, {now}, {now})"
        );
        assert_eq!(app.db.execute(&account).await, Ok(1));
        let workspace = app.db.uuid(&app.workspace);
        let place = format!(
            "INSERT INTO membership (id, workspace_id, user_id, role_id, version, created_at, updated_at) \
             VALUES ({membership}, {workspace}, {user}, {role}, 1, {now}, {now})"
        );
        assert_eq!(app.db.execute(&place).await, Ok(1));
    }
    let mut table = String::from("\u{feff}Email;Role\r\n");
    for number in 0..40 {
        table.push_str(&format!("M{number}@Example.com;{}\r\n", ["", "member", "Lead"][number % 3]));
    }
    table.push_str(
        "lead@example.com;\r\nnobody@example.com;member\r\n;lead\r\nm3@example.com;lead\r\nm4@example.com;chief\r\nx;y;z\r\n",
    );
    let loaded = load(&app, &lead, &team, &table).await.expect(200);
    let counts = ["added", "changed", "unchanged", "wrong"].map(|name| loaded.body[name].as_u64().unwrap());
    assert_eq!(counts, [40, 0, 1, 5], "{}", loaded.text);
    let problems: Vec<_> = loaded.body["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].as_u64().unwrap(), problem["code"].as_str().unwrap()))
        .collect();
    let expected =
        [(43, "unknown_member"), (44, "required"), (45, "duplicate"), (46, "unknown_role"), (47, "wrong_number_of_fields")];
    assert_eq!(problems, expected);
    assert_eq!(app.count("team_member WHERE role = 'lead'").await, 14);
    // the same again changes nothing, an empty role leaves what they are, and another changes it
    let again = load(&app, &lead, &team, &table).await.expect(200);
    assert_eq!((&again.body["added"], &again.body["unchanged"]), (&json!(0), &json!(41)));
    let changed = load(&app, &lead, &team, "email,role\nm2@example.com,member\nm5@example.com,\n").await.expect(200);
    assert_eq!((&changed.body["changed"], &changed.body["unchanged"]), (&json!(1), &json!(1)));
    assert_eq!((app.count("team_member").await, app.count("team_member WHERE role = 'lead'").await), (41, 13));
    let id = app.db.uuid(&team);
    let entries = format!("journal_entry WHERE subject_id = {id} AND record_type = 'team_member'");
    assert_eq!(app.count(&entries).await, 42);
}

#[tokio::test]
async fn a_table_that_is_no_table_of_members_is_refused_whole() {
    let app = TestApp::spawn().await;
    let team = team(&app, "Ours").await;
    let refused = load(&app, &app.admin, &team, "address,rank\nadmin@example.com,lead\n").await;
    let refused = refused.expect_problem(422, "validation_failed");
    let codes: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unknown_column", "unknown_column", "missing_column"], "{}", refused.text);
    load(&app, &app.admin, &team, "").await.expect_problem(422, "validation_failed");
    load(&app, &app.admin, &team, "email,email\na,b\n").await.expect_problem(422, "validation_failed");
    let path = format!("/v1/teams/{team}/members/load");
    app.post(&path, &app.admin, &json!({})).await.expect_problem(415, "unsupported_media_type");
    // more rows than there may be, and more bytes
    let rows = |many: usize| (0..many).map(|number| format!("m{number}@x.gr\n")).collect::<String>();
    let refused =
        load(&app, &app.admin, &team, &format!("email\n{}", rows(100_001))).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "too_many_rows", "{}", refused.text);
    load(&app, &app.admin, &team, &format!("email\n{}", "x".repeat(8 << 20))).await.expect_problem(413, "too_large");
    assert_eq!(app.count("team_member").await, 0);
}

/// Half of a hundred thousand are members, each of them named more than once.
#[tokio::test]
async fn of_a_hundred_thousand_rows_each_wrong_one_is_told() {
    let app = TestApp::spawn().await;
    let team = team(&app, "Ours").await;
    let row = |number: usize| match number % 4 {
        0 => "Admin@example.com,lead\n".to_owned(),
        1 => "admin@example.com,chief\n".to_owned(),
        2 => "\"admin@example.com\",\n".to_owned(),
        _ => format!("nobody{number}@example.com,\n"),
    };
    let table: String = (0..100_000).map(row).collect();
    let told = load(&app, &app.admin, &team, &format!("email,role\n{table}")).await.expect(200);
    let counts = ["added", "changed", "unchanged", "wrong"].map(|name| told.body[name].as_u64().unwrap());
    assert_eq!(counts, [1, 0, 0, 99_999]);
    let problems = told.body["problems"].as_array().unwrap();
    let lines: Vec<_> = problems.iter().map(|problem| problem["line"].as_u64().unwrap()).collect();
    assert!(lines.into_iter().eq(3..=100_001), "each by its line, in their order");
    let code = |code: &str| problems.iter().filter(|problem| problem["code"] == *code).count();
    assert_eq!((code("unknown_role"), code("unknown_member"), code("duplicate")), (25_000, 25_000, 49_999));
    assert_eq!(app.count("team_member WHERE role = 'lead'").await, 1);
}

/// Seen to fail on PostgreSQL, with `in_use`, where a team or a role goes without the lock of the workspace.
#[tokio::test]
async fn a_team_or_a_role_that_goes_while_something_is_put_into_it_goes_before_or_after() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let member = json!({ "user_id": nikos.user_id });
    for number in 0..10 {
        let team = app.post("/v1/teams", &app.admin, &json!({ "name": format!("team {number}") })).await.expect(201).id();
        let (path, members) = (format!("/v1/teams/{team}"), format!("/v1/teams/{team}/members"));
        let (gone, put) = tokio::join!(app.delete(&path, &app.admin), app.post(&members, &app.admin, &member));
        assert_eq!(gone.status, 204, "{}", gone.text);
        assert!([201, 404].contains(&put.status), "{}", put.text);

        let role = app.role(&app.admin, &format!("role_{number}"), &[]).await;
        let invitation = json!({ "email": format!("asked{number}@example.com"), "role": format!("role_{number}") });
        let path = format!("/v1/roles/{role}");
        let (gone, put) = tokio::join!(app.delete(&path, &app.admin), app.post("/v1/invitations", &app.admin, &invitation));
        match (gone.status, put.status) {
            (204, 422) => {}
            (409, 201) => assert_eq!(gone.body["code"], "role_in_use"),
            _ => panic!("{} {}", gone.text, put.text),
        }
    }
    assert_eq!((app.count("team").await, app.count("team_member").await), (0, 0));
}

#[tokio::test]
async fn of_a_table_nobody_learns_anything_whose_table_is_not_wanted() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let team = app.post("/v1/teams", &app.admin, &json!({ "name": "Islands" })).await.expect(201).id();
    let wrong = "no,such,columns\n1,2,3\n";
    let told = load(&app, &app.admin, &team, wrong).await;
    assert!([400, 422].contains(&told.status), "{}", told.text);
    load(&app, &nikos, &team, wrong).await.expect_problem(404, "not_found");
    let member = json!({ "user_id": nikos.user_id });
    app.post(&format!("/v1/teams/{team}/members"), &app.admin, &member).await.expect(201);
    load(&app, &nikos, &team, wrong).await.expect_problem(403, "forbidden");
}
