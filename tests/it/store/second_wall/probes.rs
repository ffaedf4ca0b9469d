//! What each caller can do with each row of a table, tried as the server's role.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::tables::{Expected, Kept};
use super::world::{Asking, Samples, Whose, World};

/// What became of a statement. What else stops it (a unique index, a reference) comes behind the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It reached a row.
    Through,
    /// It ran and found none.
    Hidden,
    /// The database refused it.
    Refused,
}

/// What the server says at the beginning of each transaction.
pub(super) async fn say(db: &mut PgConnection, asking: &Asking) {
    let Asking { workspace, account, kind, manages, .. } = asking;
    let sql = format!(
        "SELECT set_config('pelatis.workspace', '{workspace}', true), set_config('pelatis.account', '{account}', true), \
         set_config('pelatis.kind', '{kind}', true), set_config('pelatis.manages', '{manages}', true)"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.unwrap();
}

/// Runs a statement and undoes it.
pub(super) async fn attempt(db: &mut PgConnection, sql: &str, row: Option<&Value>) -> Outcome {
    let mut savepoint = db.begin().await.unwrap();
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    if let Some(row) = row {
        query = query.bind(row);
    }
    let outcome = match query.execute(&mut *savepoint).await {
        Ok(done) if done.rows_affected() > 0 => Outcome::Through,
        Ok(_) => Outcome::Hidden,
        Err(error) => match error.as_database_error().and_then(|error| error.code()).as_deref() {
            // insufficient_privilege: no grant, or a row that the policy does not let in
            Some("42501") => Outcome::Refused,
            // a constraint, or a trigger that keeps the journal as it is
            Some(code) if code.starts_with("23") || code == "P0001" => Outcome::Through,
            _ => panic!("{sql}: {error}"),
        },
    };
    savepoint.rollback().await.unwrap();
    outcome
}

/// The part of an update that changes a row without reading it.
fn blind_change(table: &Expected) -> &'static str {
    match table.table {
        "workspace" => "name = 'x'",
        "user_account" => "phone = 'x'",
        _ if table.kept == Kept::ByAccount => "user_id = gen_random_uuid()",
        "journal_personal" => "changes = NULL, ip = NULL, user_agent = NULL, erased_at = now()",
        _ => "workspace_id = NULL",
    }
}

/// Tries everything that can be tried on a table, as everybody, and returns where it went otherwise than expected. With `first` it
/// stops at the first such place.
pub(super) async fn probe(db: &mut PgConnection, world: &World, samples: &Samples, table: &Expected, first: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = table.table;
    for asking in world.asking() {
        say(db, &asking).await;
        let mut tried: Vec<(String, Option<Value>, Outcome)> = Vec::new();
        for whose in table.whose(&asking) {
            let condition = world.condition(name, table.columns, whose, &asking);
            let row = samples[&(name, condition.clone())].clone();
            tried.extend(of_row(world, table, &asking, whose, &condition, row));
        }
        tried.extend(blind(world, table, &asking));
        for (sql, row, expected) in tried {
            let found = attempt(db, &sql, row.as_ref()).await;
            if found != expected {
                wrong.push(format!("{}: {sql}: {found:?}, expected {expected:?} ({})", asking.name, table.why));
                if first {
                    return wrong;
                }
            }
        }
    }
    wrong
}

/// Select, insert, update and delete of one row.
fn of_row(
    world: &World,
    table: &Expected,
    asking: &Asking,
    whose: Whose,
    condition: &str,
    row: Value,
) -> Vec<(String, Option<Value>, Outcome)> {
    let name = table.table;
    let (reads, writes) = (table.reads(world, asking, whose), table.writes(world, asking, whose));
    let or = |through: bool, otherwise| if through { Outcome::Through } else { otherwise };
    let closed = table.kept == Kept::Closed;
    let read = if closed { Outcome::Refused } else { or(reads, Outcome::Hidden) };
    // an update or a delete with a condition reads, so both sides of the wall are asked
    let change = if closed { Outcome::Refused } else { or(reads && writes, Outcome::Hidden) };
    let (update, delete) = match table.table {
        "journal_entry" => (Outcome::Refused, Outcome::Refused),
        "journal_personal" => (change, Outcome::Refused),
        "user_account" => (change, or(asking.is_installation(), Outcome::Hidden)),
        _ => (change, change),
    };
    let itself = row.as_object().and_then(|row| row.keys().next()).unwrap();
    let set = match table.table {
        "journal_personal" => blind_change(table).to_owned(),
        "workspace" => "id = id".to_owned(),
        _ if table.columns.contains(&"workspace_id") => "workspace_id = workspace_id".to_owned(),
        _ => format!("{itself} = {itself}"),
    };
    vec![
        (format!("SELECT 1 FROM {name} WHERE {condition}"), None, read),
        (format!("UPDATE {name} SET {set} WHERE {condition}"), None, update),
        (format!("DELETE FROM {name} WHERE {condition}"), None, delete),
        (
            format!("INSERT INTO {name} SELECT * FROM jsonb_populate_record(null::{name}, $1)"),
            Some(row),
            or(table.inserts(world, asking, whose), Outcome::Refused),
        ),
    ]
}

/// Changes that read nothing, so that the policies for reading do not stand before those for writing; and giving away what is ours.
fn blind(world: &World, table: &Expected, asking: &Asking) -> Vec<(String, Option<Value>, Outcome)> {
    if [Kept::Shared, Kept::Closed].contains(&table.kept) || table.table == "journal_entry" {
        return Vec::new();
    }
    let name = table.table;
    let any = table.whose(asking).into_iter().any(|whose| table.writes(world, asking, whose));
    let mut tried = Vec::new();
    if !any {
        tried.push((format!("UPDATE {name} SET {}", blind_change(table)), None, Outcome::Hidden));
        if table.kept != Kept::Appended {
            tried.push((format!("DELETE FROM {name}"), None, Outcome::Hidden));
        }
    } else if !asking.is_installation() && asking.in_ours(world) {
        let away = match table.table {
            "workspace" | "user_account" => "id = gen_random_uuid()".to_owned(),
            _ if table.kept == Kept::ByAccount => {
                "user_id = (SELECT id FROM user_account WHERE email LIKE 'stranger%')".to_owned()
            }
            _ => format!("workspace_id = '{}'", world.theirs),
        };
        tried.push((format!("UPDATE {name} SET {away}"), None, Outcome::Refused));
    }
    tried
}
