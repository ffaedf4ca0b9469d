//! Every policy replaced by `true` in turn. If nobody then gets through where they did not before, no test would have missed the
//! policy, and it could be lost unseen.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::probes::{probe, say};
use super::tables::TABLES;
use super::world::World;
use super::{Policy, policies};

/// What is done to a policy, as SQL, and why nobody would notice where that is so.
fn mutations(policy: &Policy) -> Vec<String> {
    let Policy { table, name, .. } = policy;
    if !policy.for_server {
        // it is `true` for the owner already, whose functions search: what would leak is that the server had it too
        return vec![format!("ALTER POLICY {name} ON {table} TO {}", store::Store::role())];
    }
    if name == "user_account_select" {
        // it keeps contacts out, who are asked elsewhere
        return Vec::new();
    }
    let mut whole = format!("ALTER POLICY {name} ON {table}");
    if policy.has_using {
        whole.push_str(" USING (true)");
    }
    if policy.has_check {
        whole.push_str(" WITH CHECK (true)");
    }
    let mut mutations = vec![whole];
    // the other half of an update: where a row may go. Whose an entry of the journal is, is not granted to be changed.
    if policy.has_using && policy.has_check && name != "journal_personal_erase" {
        mutations.push(format!("ALTER POLICY {name} ON {table} WITH CHECK (true)"));
    }
    mutations
}

#[tokio::test]
async fn somebody_gets_through_where_a_policy_is_replaced_by_true() {
    let Some(world) = World::make().await else { return };
    let mut owner = PgConnection::connect(world.app.db.config.owner_url.as_deref().unwrap()).await.unwrap();
    let samples = world.samples().await;
    let mut missed = Vec::new();
    let mut tried = 0;
    for policy in policies(&mut owner).await {
        let table = TABLES.iter().find(|table| table.table == policy.table).expect("a table that is known");
        for mutation in mutations(&policy) {
            // rolled back, so that each policy is alone in its absence
            let mut db = owner.begin().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(mutation.clone())).execute(&mut *db).await.unwrap();
            let become_server = format!("SET LOCAL ROLE {}", store::Store::role());
            sqlx::raw_sql(AssertSqlSafe(become_server)).execute(&mut *db).await.unwrap();
            if probe(&mut db, &world, &samples, table, true).await.is_empty() {
                missed.push(mutation);
            }
            db.rollback().await.unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 60, "{tried}");
    assert!(missed.is_empty(), "nobody gets through after:\n{}", missed.join("\n"));
    search_keeps_to_one_workspace(&world, &mut owner).await;
}

/// The search functions read as the owner, past the policies that bind the server, so each keeps to one workspace by itself; without
/// its condition it would not.
async fn search_keeps_to_one_workspace(world: &World, owner: &mut PgConnection) {
    let functions = "SELECT proname::text FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY 1";
    let known = [
        "pelatis_journal_partitions",
        "pelatis_schema_steps",
        "pelatis_search_client",
        "pelatis_search_contact",
        "pelatis_search_file",
    ];
    assert_eq!(world.app.db.rows(functions).await, known, "a function that runs as the owner and is not known here");
    for table in ["client", "contact", "file"] {
        for with_condition in [true, false] {
            let mut db = owner.begin().await.unwrap();
            if !with_condition {
                let source = format!("SELECT pg_get_functiondef('pelatis_search_{table}'::regproc)");
                let source: String = sqlx::query_scalar(AssertSqlSafe(source)).fetch_one(&mut *db).await.unwrap();
                let (begin, rest) = source.split_once("WHERE workspace_id =").expect("a condition");
                let (_, end) = rest.split_once("AND array_to_tsvector").expect("a search");
                let open = format!("{begin}WHERE true AND array_to_tsvector{end}");
                sqlx::raw_sql(AssertSqlSafe(open)).execute(&mut *db).await.unwrap();
            }
            let become_server = format!("SET LOCAL ROLE {}", store::Store::role());
            sqlx::raw_sql(AssertSqlSafe(become_server)).execute(&mut *db).await.unwrap();
            for asking in world.asking() {
                say(&mut db, &asking).await;
                for (word, is_ours) in [("ours", true), ("theirs", false)] {
                    let search = format!("SELECT count(*) FROM pelatis_search_{table}('{word}')");
                    let found: i64 = sqlx::query_scalar(AssertSqlSafe(search)).fetch_one(&mut *db).await.unwrap();
                    let expected = !with_condition || (is_ours && asking.in_ours(world));
                    assert_eq!(found > 0, expected, "{} finds {word} in {table}", asking.name);
                }
            }
            db.rollback().await.unwrap();
        }
    }
}
