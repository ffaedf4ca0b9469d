//! The parts of a schema that the two engines write in different words. Migrations call these; nothing else does.

use super::Dialect;
use super::wall::{INSTALLATION, WORKSPACE};
use crate::list::FieldKind;

pub use super::wall::{Wall, only_own_come_in, own_rows, shared_views, views_of_all, wall};

/// A text column that sorts by code point on both engines, whatever the database's locale, so that one cursor means one place.
pub fn sortable_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "text",
        Dialect::Postgres => "text COLLATE \"C\"",
    }
}

/// The key of a searchable table on SQLite: full-text tables refer to rows by number, and only a declared number survives VACUUM.
pub fn row_number_column(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Sqlite => Some("rowno"),
        Dialect::Postgres => None,
    }
}

/// How a table ends that is nothing but its key. PostgreSQL has no such table, and keeps rows and key apart.
pub fn kept_as_its_key(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Sqlite => Some("WITHOUT ROWID"),
        Dialect::Postgres => None,
    }
}

/// How many letters a beginning may have that SQLite keeps an index of. Of such beginnings it reads the first records it needs; longer ones
/// it puts together from all words that begin so, which are few by then (seen among a million: 0.3 ms against 965 ms for `30210`).
const BEGINNINGS: &str = "2 3 4 5 6 7 8";

/// The full-text index over `search_text` of a table.
pub fn search_index(dialect: Dialect, table: &str) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => vec![
            format!(
                "CREATE VIRTUAL TABLE {table}_search USING fts5(search_text, content='{table}', content_rowid='rowno', \
                 tokenize='unicode61 remove_diacritics 0', prefix='{BEGINNINGS}')"
            ),
            format!(
                "CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN \
                 INSERT INTO {table}_search(rowid, search_text) VALUES (new.rowno, new.search_text); END"
            ),
            format!(
                "CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN \
                 INSERT INTO {table}_search({table}_search, rowid, search_text) VALUES ('delete', old.rowno, old.search_text); END"
            ),
            format!(
                "CREATE TRIGGER {table}_search_update AFTER UPDATE OF search_text ON {table} \
                 WHEN old.search_text <> new.search_text BEGIN \
                 INSERT INTO {table}_search({table}_search, rowid, search_text) VALUES ('delete', old.rowno, old.search_text); \
                 INSERT INTO {table}_search(rowid, search_text) VALUES (new.rowno, new.search_text); END"
            ),
        ],
        Dialect::Postgres => vec![
            format!(
                "CREATE INDEX {table}_search ON {table} USING gin (array_to_tsvector(string_to_array(search_text, ' '))) \
                 WITH (gin_pending_list_limit = 256)"
            ),
            // the owner, too, is under forced row security; this lets the function below read, and the function keeps to one workspace
            format!("CREATE POLICY {table}_search ON {table} FOR SELECT TO CURRENT_USER USING (true)"),
            format!(
                "CREATE FUNCTION pelatis_search_{table}(query text) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER \
                 SET search_path = pg_catalog, public ROWS 500 AS $$ \
                 SELECT id FROM public.{table} WHERE workspace_id = {WORKSPACE} \
                 AND array_to_tsvector(string_to_array(search_text, ' ')) @@ query::tsquery $$"
            ),
            format!("REVOKE ALL ON FUNCTION pelatis_search_{table}(text) FROM PUBLIC"),
            format!("GRANT EXECUTE ON FUNCTION pelatis_search_{table}(text) TO {APP_ROLE}"),
        ],
    }
}

/// A column for the workspace of rows that may belong to none, added to a table that had no workspaces.
pub fn add_workspace(dialect: Dialect, table: &str) -> String {
    add_reference(dialect, table, "workspace_id", "workspace")
}

/// A column that refers to a row of another table, or to none, added to a table.
pub fn add_reference(dialect: Dialect, table: &str, column: &str, to: &str) -> String {
    let kind = match dialect {
        Dialect::Sqlite => "uuid_text",
        Dialect::Postgres => "uuid",
    };
    format!("ALTER TABLE {table} ADD COLUMN {column} {kind} REFERENCES {to} (id)")
}

/// Makes an index of a table of a workspace anew, so that it also holds what row security asks of each row. SQLite asks nothing.
pub fn cover(dialect: Dialect, index: &str, table: &str, columns: &[&str]) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => vec![
            // what reads goes on until the new one is there
            format!("CREATE INDEX {index}_anew ON {table} ({}) INCLUDE (workspace_id)", columns.join(", ")),
            format!("DROP INDEX {index}"),
            format!("ALTER INDEX {index}_anew RENAME TO {index}"),
        ],
    }
}

/// Statements that read and change the rows of everybody in these tables: the owner, too, is under forced row security.
pub fn of_everybody(dialect: Dialect, tables: &[&str], statements: Vec<String>) -> Vec<String> {
    let force = |how: &str| -> Vec<String> {
        match dialect {
            Dialect::Sqlite => Vec::new(),
            Dialect::Postgres => tables.iter().map(|table| format!("ALTER TABLE {table} {how} ROW LEVEL SECURITY")).collect(),
        }
    };
    [force("NO FORCE"), statements, force("FORCE")].concat()
}

/// Fills a column with the UUID that a member of a JSON column holds, in every row that has one.
pub fn uuid_from_member(dialect: Dialect, table: &str, column: &str, (json, member): (&str, &str)) -> Vec<String> {
    let value = match dialect {
        Dialect::Sqlite => format!("unhex(replace({json} ->> '$.{member}', '-', ''))"),
        Dialect::Postgres => format!("({json} ->> '{member}')::uuid"),
    };
    of_everybody(dialect, &[table], vec![format!("UPDATE {table} SET {column} = {value} WHERE {json} IS NOT NULL")])
}

/// Takes members out of a JSON column where they have these values, in every row.
pub fn forget_members(dialect: Dialect, table: &str, column: &str, members: &[(&str, &str)]) -> Vec<String> {
    let forget = |(name, value): &(&str, &str)| match dialect {
        Dialect::Sqlite => {
            format!(
                "UPDATE {table} SET {column} = json_remove({column}, '$.{name}') WHERE {column} -> '$.{name}' = json('{value}')"
            )
        }
        Dialect::Postgres => {
            format!("UPDATE {table} SET {column} = {column} - '{name}' WHERE {column} -> '{name}' = '{value}'::jsonb")
        }
    };
    of_everybody(dialect, &[table], members.iter().map(forget).collect())
}

/// An index for the sort of a list by a column that may be empty, and for finding what has one value in it.
pub fn sort_index(dialect: Dialect, name: &str, table: &str, column: &str, kind: FieldKind) -> String {
    format!("CREATE INDEX {name} ON {table} (workspace_id, ({}), id)", super::filled(dialect, column, kind))
}

/// Makes such an index of the time before `COALESCE` was left to SQLite anew.
pub fn sort_index_anew(dialect: Dialect, name: &str, table: &str, column: &str, kind: FieldKind) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => vec![
            sort_index(dialect, &format!("{name}_anew"), table, column, kind),
            format!("DROP INDEX {name}"),
            format!("ALTER INDEX {name}_anew RENAME TO {name}"),
        ],
    }
}

/// Tells the planner of PostgreSQL what is in a table, where it would otherwise find out in its own time; SQLite's plans do without.
pub fn analyze(dialect: Dialect, table: &str) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => vec![format!("ANALYZE {table}")],
    }
}

/// The role that the server works as on PostgreSQL. It owns nothing.
pub const APP_ROLE: &str = "pelatis_app";

/// Makes the server's role where it is not there yet. Roles belong to the cluster, so several databases share it.
pub fn app_role(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => vec![
            format!(
                // where the role is there already, the owner need not be one who may make roles
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN \
                 CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            ),
            // one who is no superuser must be a member to set itself down to the role
            format!(
                "DO $$ BEGIN IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN \
                 EXECUTE format('GRANT {APP_ROLE} TO %I', current_user); END IF; END $$"
            ),
            format!("GRANT USAGE ON SCHEMA public TO {APP_ROLE}"),
        ],
    }
}

/// The steps of the schema that were taken, for the server: a backup says which.
pub(crate) fn steps_taken(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT version FROM seaql_migrations ORDER BY version",
        Dialect::Postgres => "SELECT step FROM pelatis_schema_steps() AS step ORDER BY step",
    }
}

/// Lets the server see which steps were taken, and nothing else of the owner's table.
pub fn show_steps(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => vec![
            "CREATE FUNCTION pelatis_schema_steps() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER \
             SET search_path = pg_catalog, public AS $$ SELECT version::text FROM public.seaql_migrations $$"
                .to_owned(),
            "REVOKE ALL ON FUNCTION pelatis_schema_steps() FROM PUBLIC".to_owned(),
            format!("GRANT EXECUTE ON FUNCTION pelatis_schema_steps() TO {APP_ROLE}"),
        ],
    }
}

/// The journal's tables, their partitions and the triggers that keep them append-only.
pub fn journal_tables(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => SQLITE_JOURNAL.iter().map(|&statement| statement.to_owned()).collect(),
        Dialect::Postgres => {
            let mut statements: Vec<String> = POSTGRES_JOURNAL.iter().map(|&statement| statement.to_owned()).collect();
            statements.extend(wall(dialect, "journal_entry", Wall::Journal));
            statements.extend(wall(dialect, "journal_personal", Wall::Journal));
            statements.push(format!(
                "CREATE POLICY journal_personal_erase ON journal_personal FOR UPDATE TO {APP_ROLE} \
                 USING (workspace_id IS NOT DISTINCT FROM {WORKSPACE} OR {INSTALLATION}) \
                 WITH CHECK (workspace_id IS NOT DISTINCT FROM {WORKSPACE} OR {INSTALLATION})"
            ));
            statements.push(format!("GRANT UPDATE (changes, ip, user_agent, erased_at) ON journal_personal TO {APP_ROLE}"));
            statements.push(format!("GRANT USAGE ON SEQUENCE journal_entry_number_seq TO {APP_ROLE}"));
            statements.push("REVOKE ALL ON FUNCTION pelatis_journal_partitions(date) FROM PUBLIC".to_owned());
            statements.push(format!("GRANT EXECUTE ON FUNCTION pelatis_journal_partitions(date) TO {APP_ROLE}"));
            statements.push("SELECT pelatis_journal_partitions(current_date)".to_owned());
            statements
        }
    }
}

/// Makes this month's and the next three months' partitions of the journal. Entries of a month without one go to the default
/// partition, so nothing is ever refused.
pub(crate) fn ensure_partitions(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres => Some("SELECT pelatis_journal_partitions(current_date)"),
    }
}

const SQLITE_JOURNAL: &[&str] = &[
    "CREATE TABLE journal_entry (
        number INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, transaction_number INTEGER NOT NULL,
        id uuid_text NOT NULL UNIQUE, workspace_id uuid_text, at timestamp_with_timezone_text NOT NULL,
        actor_kind text NOT NULL, actor_id uuid_text, user_id uuid_text, cause_kind text NOT NULL, cause_id uuid_text,
        request_id text, record_type text NOT NULL, record_id uuid_text, subject_type text, subject_id uuid_text,
        action text NOT NULL, event text NOT NULL, changes json_text NOT NULL)",
    "CREATE INDEX journal_entry_record ON journal_entry (record_id, id)",
    "CREATE INDEX journal_entry_subject ON journal_entry (subject_id, id)",
    "CREATE INDEX journal_entry_workspace ON journal_entry (workspace_id, id)",
    "CREATE INDEX journal_entry_user ON journal_entry (user_id, id)",
    "CREATE TABLE journal_personal (
        entry_id uuid_text NOT NULL PRIMARY KEY, workspace_id uuid_text, user_id uuid_text,
        at timestamp_with_timezone_text NOT NULL, record_type text NOT NULL, record_id uuid_text,
        changes json_text, ip text, user_agent text, erased_at timestamp_with_timezone_text)",
    "CREATE INDEX journal_personal_record ON journal_personal (record_id)",
    "CREATE TRIGGER journal_entry_no_update BEFORE UPDATE ON journal_entry BEGIN
        SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_entry_no_delete BEFORE DELETE ON journal_entry BEGIN
        SELECT RAISE(ABORT, 'the journal is append-only'); END",
    // REPLACE deletes without firing the triggers of a delete
    "CREATE TRIGGER journal_entry_no_replace BEFORE INSERT ON journal_entry
        WHEN EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM journal_entry WHERE number = NEW.number)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_personal_no_replace BEFORE INSERT ON journal_personal
        WHEN EXISTS (SELECT 1 FROM journal_personal WHERE entry_id = NEW.entry_id)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_personal_erase_only BEFORE UPDATE ON journal_personal
        WHEN NEW.changes IS NOT NULL OR NEW.ip IS NOT NULL OR NEW.user_agent IS NOT NULL OR NEW.erased_at IS NULL
          OR NEW.entry_id IS NOT OLD.entry_id OR NEW.workspace_id IS NOT OLD.workspace_id OR NEW.at IS NOT OLD.at
          OR NEW.user_id IS NOT OLD.user_id OR NEW.record_type IS NOT OLD.record_type OR NEW.record_id IS NOT OLD.record_id
        BEGIN SELECT RAISE(ABORT, 'personal values of the journal can be erased, not changed'); END",
    "CREATE TRIGGER journal_personal_no_delete BEFORE DELETE ON journal_personal BEGIN
        SELECT RAISE(ABORT, 'the journal is append-only'); END",
];

const POSTGRES_JOURNAL: &[&str] = &[
    "CREATE SEQUENCE journal_entry_number_seq",
    "CREATE TABLE journal_entry (
        number bigint NOT NULL DEFAULT nextval('journal_entry_number_seq'), epoch int NOT NULL, transaction_number bigint NOT NULL,
        id uuid NOT NULL, workspace_id uuid, at timestamptz NOT NULL,
        actor_kind text NOT NULL, actor_id uuid, user_id uuid, cause_kind text NOT NULL, cause_id uuid,
        request_id text, record_type text NOT NULL, record_id uuid, subject_type text, subject_id uuid,
        action text NOT NULL, event text NOT NULL, changes jsonb NOT NULL,
        PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE journal_entry_default PARTITION OF journal_entry DEFAULT",
    "CREATE INDEX journal_entry_record ON journal_entry (record_id, id)",
    "CREATE INDEX journal_entry_subject ON journal_entry (subject_id, id) WHERE subject_id IS NOT NULL",
    "CREATE INDEX journal_entry_workspace ON journal_entry (workspace_id, id)",
    "CREATE INDEX journal_entry_user ON journal_entry (user_id, id) WHERE user_id IS NOT NULL",
    "CREATE INDEX journal_entry_feed ON journal_entry (epoch, transaction_number, number)",
    "CREATE TABLE journal_personal (
        entry_id uuid NOT NULL, workspace_id uuid, user_id uuid, at timestamptz NOT NULL, record_type text NOT NULL, record_id uuid,
        changes jsonb, ip text, user_agent text, erased_at timestamptz,
        PRIMARY KEY (entry_id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE journal_personal_default PARTITION OF journal_personal DEFAULT",
    "CREATE INDEX journal_personal_record ON journal_personal (record_id)",
    "CREATE FUNCTION pelatis_journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$",
    "CREATE FUNCTION pelatis_journal_erase_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.changes IS NOT NULL OR NEW.ip IS NOT NULL OR NEW.user_agent IS NOT NULL OR NEW.erased_at IS NULL
               OR (NEW.entry_id, NEW.workspace_id, NEW.user_id, NEW.at, NEW.record_type, NEW.record_id)
                  IS DISTINCT FROM (OLD.entry_id, OLD.workspace_id, OLD.user_id, OLD.at, OLD.record_type, OLD.record_id) THEN
                RAISE EXCEPTION 'personal values of the journal can be erased, not changed';
            END IF;
            RETURN NEW;
        END $$",
    "CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE ON journal_entry
        FOR EACH ROW EXECUTE FUNCTION pelatis_journal_refuse()",
    "CREATE TRIGGER journal_entry_no_truncate BEFORE TRUNCATE ON journal_entry
        FOR EACH STATEMENT EXECUTE FUNCTION pelatis_journal_refuse()",
    "CREATE TRIGGER journal_personal_erase_only BEFORE UPDATE ON journal_personal
        FOR EACH ROW EXECUTE FUNCTION pelatis_journal_erase_only()",
    "CREATE TRIGGER journal_personal_no_delete BEFORE DELETE ON journal_personal
        FOR EACH ROW EXECUTE FUNCTION pelatis_journal_refuse()",
    "CREATE TRIGGER journal_personal_no_truncate BEFORE TRUNCATE ON journal_personal
        FOR EACH STATEMENT EXECUTE FUNCTION pelatis_journal_refuse()",
    // triggers of a statement are not handed down to partitions, so each has its own
    "CREATE TRIGGER journal_entry_default_no_truncate BEFORE TRUNCATE ON journal_entry_default
        FOR EACH STATEMENT EXECUTE FUNCTION pelatis_journal_refuse()",
    "CREATE TRIGGER journal_personal_default_no_truncate BEFORE TRUNCATE ON journal_personal_default
        FOR EACH STATEMENT EXECUTE FUNCTION pelatis_journal_refuse()",
    // runs as the owner, so that the server's role, which owns nothing, can have partitions made
    "CREATE FUNCTION pelatis_journal_partitions(today date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$
        DECLARE base text; month date; name text;
        BEGIN
            PERFORM pg_advisory_xact_lock(7305091);
            FOREACH base IN ARRAY ARRAY['journal_entry', 'journal_personal'] LOOP
                FOR step IN 0..3 LOOP
                    month := (date_trunc('month', today) + make_interval(months => step))::date;
                    name := format('%s_%s', base, to_char(month, 'YYYY_MM'));
                    IF to_regclass('public.' || name) IS NOT NULL THEN
                        CONTINUE;
                    END IF;
                    BEGIN
                        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
                            name, base, (month::text || ' 00:00:00+00'), ((month + interval '1 month')::date::text || ' 00:00:00+00'));
                        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
                        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
                        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION \
                            public.pelatis_journal_refuse()', name || '_no_truncate', name);
                    EXCEPTION WHEN check_violation THEN
                        -- entries of that month stand in the default partition already; they stay there
                        NULL;
                    END;
                END LOOP;
            END LOOP;
        END $$",
];

/// Lets one node migrate at a time. The lock belongs to the connection, which is the pool's only one.
///
/// # Errors
/// `internal` with what the database says.
pub async fn lock_migrations(owner: &sea_orm::DatabaseConnection) -> kernel::Result<()> {
    advisory(owner, "SELECT pg_advisory_lock(7305090)").await
}

/// Lets the next node look.
///
/// # Errors
/// `internal` with what the database says.
pub async fn unlock_migrations(owner: &sea_orm::DatabaseConnection) -> kernel::Result<()> {
    advisory(owner, "SELECT pg_advisory_unlock(7305090)").await
}

async fn advisory(owner: &sea_orm::DatabaseConnection, statement: &str) -> kernel::Result<()> {
    use sea_orm::ConnectionTrait as _;
    match owner.get_database_backend().into() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => owner.execute_unprepared(statement).await.map(|_| ()).map_err(kernel::Error::internal),
    }
}
