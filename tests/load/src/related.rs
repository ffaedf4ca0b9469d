//! What hangs on clients, put there at once: through the API a million records would take longer than everything that is measured.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::database::is_postgres;
use crate::{Result, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The database, as its owner
    #[arg(long)]
    url: String,
    /// How many clients get four notes, four interactions and two tags each
    #[arg(long, default_value_t = 100_000)]
    clients: u32,
    /// How many of their ids are printed
    #[arg(long, default_value_t = 1000)]
    count: i64,
}

/// Puts it there, and prints ids of such clients, one a line.
pub(crate) fn add(options: &Options) -> Result<()> {
    let ids: Vec<Uuid> = actix_web::rt::System::new().block_on(async {
        let (statements, drawn) = (statements(options), drawn(options));
        if is_postgres(&options.url) {
            let mut owner = PgConnection::connect(&options.url).await?;
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut owner).await?;
            sqlx::query_scalar(AssertSqlSafe(drawn)).fetch_all(&mut owner).await
        } else {
            let mut owner = SqliteConnection::connect(&options.url).await?;
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut owner).await?;
            sqlx::query_scalar(AssertSqlSafe(drawn)).fetch_all(&mut owner).await
        }
    })?;
    ids.iter().try_for_each(|id| say(&id.to_string()))
}

fn first(options: &Options) -> String {
    format!("(SELECT id, workspace_id, created_at FROM client ORDER BY id LIMIT {})", options.clients)
}

fn drawn(options: &Options) -> String {
    format!("SELECT id FROM {} c ORDER BY random() LIMIT {}", first(options), options.count)
}

fn statements(options: &Options) -> String {
    let id = if is_postgres(&options.url) { "gen_random_uuid()" } else { "randomblob(16)" };
    let clients = first(options);
    let four = "(SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)";
    let meta = "1, c.created_at, c.created_at";
    format!(
        "INSERT INTO note (id, workspace_id, rel_type, rel_id, body, is_private, version, created_at, updated_at) \
         SELECT {id}, c.workspace_id, 'client', c.id, 'Wants a new offer by Friday.', false, {meta} \
         FROM {clients} c CROSS JOIN {four} n; \
         INSERT INTO interaction (id, workspace_id, client_id, type, channel, subject, occurred_at, place, participants, \
         version, created_at, updated_at) \
         SELECT {id}, c.workspace_id, c.id, 'conversation', 'phone', 'The offer', c.created_at, {id}, '[]', {meta} \
         FROM {clients} c CROSS JOIN {four} n; \
         INSERT INTO tag (id, workspace_id, name, name_key, version, created_at, updated_at) \
         SELECT {id}, w.id, n.name, n.name, 1, w.created_at, w.created_at \
         FROM workspace w CROSS JOIN (SELECT 'one' AS name UNION ALL SELECT 'two') n; \
         INSERT INTO tagging (id, workspace_id, tag_id, rel_type, rel_id, version, created_at, updated_at) \
         SELECT {id}, c.workspace_id, t.id, 'client', c.id, {meta} FROM {clients} c CROSS JOIN tag t"
    )
}
