//! What the database does by itself when rows come or change.

use super::Dialect;

/// Has the database say of each record of a table, as it comes, that it has no value of each custom field that there is. On PostgreSQL this
/// runs behind the check of the reference to the workspace, which waits for whoever makes a field, and sees what they have made; so no record
/// is left out, whatever its maker knows.
pub fn tell_fields(dialect: Dialect, table: &str) -> Vec<String> {
    let none = format!(
        "INSERT INTO custom_field_value (workspace_id, field_id, record_id, nth, text_key, number_key) \
         SELECT f.workspace_id, f.id, new.id, 0, '{}', 0 FROM custom_field f \
         WHERE f.workspace_id = new.workspace_id AND f.record_type = '{table}' AND f.state <> 'purging' ON CONFLICT DO NOTHING",
        crate::list::NO_VALUE
    );
    match dialect {
        Dialect::Sqlite => vec![format!("CREATE TRIGGER {table}_tell_fields AFTER INSERT ON {table} BEGIN {none}; END")],
        Dialect::Postgres => vec![
            format!(
                "CREATE FUNCTION pelatis_{table}_tell_fields() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public \
                 AS $$ BEGIN {none}; RETURN NULL; END $$"
            ),
            format!(
                "CREATE TRIGGER {table}_tell_fields AFTER INSERT ON {table} FOR EACH ROW \
                 EXECUTE FUNCTION pelatis_{table}_tell_fields()"
            ),
        ],
    }
}

/// Has the database keep, in a table of its own, which records of a table have which words of `list`, a column that is a JSON list of words.
/// The columns of `words` are `workspace_id`, `record` (its id) and `word`. So whoever writes records need not know of it.
pub fn keep_words(dialect: Dialect, table: &str, list: &str, words: &str, [record, word]: [&str; 2]) -> Vec<String> {
    let forget = format!("DELETE FROM {words} WHERE {record} = new.id");
    let keep = |each: &str| {
        format!(
            "INSERT INTO {words} (workspace_id, {record}, {word}) SELECT new.workspace_id, new.id, w.value FROM {each} WHERE true \
             ON CONFLICT DO NOTHING"
        )
    };
    match dialect {
        Dialect::Sqlite => {
            let keep = keep(&format!("json_each(new.{list}) w"));
            vec![
                format!("CREATE TRIGGER {table}_{list}_come AFTER INSERT ON {table} WHEN new.{list} <> '[]' BEGIN {keep}; END"),
                format!(
                    "CREATE TRIGGER {table}_{list}_change AFTER UPDATE OF {list} ON {table} WHEN old.{list} <> new.{list} \
                     BEGIN {forget}; {keep}; END"
                ),
            ]
        }
        Dialect::Postgres => {
            let (keep, function) =
                (keep(&format!("jsonb_array_elements_text(new.{list}) AS w(value)")), format!("pelatis_{table}_{list}()"));
            vec![
                format!(
                    "CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public \
                     AS $$ BEGIN IF TG_OP = 'UPDATE' THEN {forget}; END IF; {keep}; RETURN NULL; END $$"
                ),
                format!(
                    "CREATE TRIGGER {table}_{list}_come AFTER INSERT ON {table} FOR EACH ROW WHEN (new.{list} <> '[]') \
                     EXECUTE FUNCTION {function}"
                ),
                format!(
                    "CREATE TRIGGER {table}_{list}_change AFTER UPDATE OF {list} ON {table} FOR EACH ROW \
                     WHEN (old.{list} <> new.{list}) EXECUTE FUNCTION {function}"
                ),
            ]
        }
    }
}

/// The statement that fills what [`keep_words`] keeps with the records that are there.
pub fn words_so_far(dialect: Dialect, table: &str, list: &str, words: &str, [record, word]: [&str; 2]) -> String {
    let each = match dialect {
        Dialect::Sqlite => format!("json_each(r.{list}) w"),
        Dialect::Postgres => format!("LATERAL jsonb_array_elements_text(r.{list}) AS w(value)"),
    };
    format!(
        "INSERT INTO {words} (workspace_id, {record}, {word}) SELECT DISTINCT r.workspace_id, r.id, w.value FROM {table} r, {each}"
    )
}

/// How the message ends with which SQLite refuses what overlaps. PostgreSQL has a code of its own for it.
pub(crate) const OVERLAP: &str = "stands for that time already";

/// Lets no two rows of a table that agree in the columns `same`, which are never empty, hold on the same day. `period` are the columns of the
/// first and the last day; empty means for ever. PostgreSQL could do it by an exclusion constraint, but only with an extension that must be
/// installed; so the trigger lets those who write the same wait for each other, and then looks.
pub fn no_overlap(dialect: Dialect, table: &str, same: &[&str], period: [&str; 2]) -> Vec<String> {
    let [from, until] = period;
    let equal: Vec<String> = same.iter().map(|column| format!("o.{column} = new.{column}")).collect();
    let another = format!(
        "SELECT 1 FROM {table} o WHERE {} AND o.id <> new.id \
         AND (o.{until} IS NULL OR new.{from} IS NULL OR o.{until} >= new.{from}) \
         AND (o.{from} IS NULL OR new.{until} IS NULL OR o.{from} <= new.{until})",
        equal.join(" AND ")
    );
    let columns = [same, &period[..]].concat().join(", ");
    match dialect {
        Dialect::Sqlite => [("insert", "INSERT".to_owned()), ("update", format!("UPDATE OF {columns}"))]
            .map(|(name, when)| {
                format!(
                    "CREATE TRIGGER {table}_no_overlap_{name} BEFORE {when} ON {table} WHEN EXISTS ({another}) \
                     BEGIN SELECT RAISE(ABORT, '{table}: another {OVERLAP}'); END"
                )
            })
            .to_vec(),
        Dialect::Postgres => {
            let key: Vec<String> = same.iter().map(|column| format!("new.{column}::text")).collect();
            vec![
                format!(
                    "CREATE FUNCTION pelatis_{table}_no_overlap() RETURNS trigger LANGUAGE plpgsql \
                     SET search_path = pg_catalog, public AS $$ BEGIN \
                     PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws('/', '{table}', {}), 0)); \
                     IF EXISTS ({another}) THEN \
                     RAISE EXCEPTION '{table}: another {OVERLAP}' USING ERRCODE = 'exclusion_violation'; \
                     END IF; RETURN new; END $$",
                    key.join(", ")
                ),
                format!(
                    "CREATE TRIGGER {table}_no_overlap BEFORE INSERT OR UPDATE OF {columns} ON {table} \
                     FOR EACH ROW EXECUTE FUNCTION pelatis_{table}_no_overlap()"
                ),
            ]
        }
    }
}
