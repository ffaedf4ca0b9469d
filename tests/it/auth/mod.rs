//! Who comes in, through HTTP: set-up, signing in, tokens, invitations, memberships, and what the journal keeps of it.

mod access_tokens;
mod address_change;
mod api_tokens;
mod colleagues;
mod devices;
mod from_elsewhere;
mod invitations;
mod lock_out;
mod members;
mod passwords;
mod portal;
mod profile;
mod refresh;
mod roles;
mod second_factor;
mod setup;
mod sign_in;
mod staff_import;
mod teams;
mod workspaces;

use harness::{Engine, Session, TestApp};

/// Where the database holds a text, as `table.column`, whatever the type of the column.
pub(crate) async fn places_of(app: &TestApp, text: &str) -> Vec<String> {
    let columns = match app.db.engine {
        Engine::Sqlite => {
            "SELECT m.name || ' ' || c.name || ' ' || c.type FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '%_search%' ORDER BY 1"
        }
        Engine::Postgres => {
            "SELECT table_name || ' ' || column_name || ' ' || data_type FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY 1"
        }
    };
    let mut selects = Vec::new();
    for column in app.db.rows(columns).await {
        let (table, rest) = column.split_once(' ').unwrap();
        let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
        let found = match app.db.engine {
            Engine::Sqlite => format!("instr(CAST(\"{name}\" AS BLOB), CAST('{text}' AS BLOB)) > 0"),
            Engine::Postgres if kind == "bytea" => format!("position(convert_to('{text}', 'UTF8') in \"{name}\") > 0"),
            Engine::Postgres => format!("position('{text}' in CAST(\"{name}\" AS text)) > 0"),
        };
        selects.push(format!("SELECT '{table}.{name}' FROM \"{table}\" WHERE {found}"));
    }
    assert!(selects.len() > 100, "{}", selects.len());
    let mut places = Vec::new();
    // SQLite puts 500 together at most
    for some in selects.chunks(400) {
        places.extend(app.db.rows(&some.join(" UNION ")).await);
    }
    places.sort();
    places
}

/// A uuid as it stands in SQL.
fn uuid_sql(app: &TestApp, id: &str) -> String {
    match app.db.engine {
        Engine::Sqlite => format!("X'{}'", id.replace('-', "")),
        Engine::Postgres => format!("'{id}'"),
    }
}

/// The id of an account's membership in the workspace that `by` is in.
async fn membership_of(app: &TestApp, by: &Session, user_id: &str) -> String {
    let list = app.get(&format!("/v1/memberships?user_id={user_id}"), by).await.expect(200);
    list.body["data"][0]["id"].as_str().expect("a membership").to_owned()
}

/// How many journal entries there are of an event.
async fn events(app: &TestApp, event: &str) -> i64 {
    app.count(&format!("journal_entry WHERE event = '{event}'")).await
}
