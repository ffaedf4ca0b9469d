//! Rows that a step of the schema puts into every workspace that is there.

use super::Dialect;

/// Gives every workspace these acquisition stages, in this order: key, and the name in English and in Greek.
pub fn stages(dialect: Dialect, provided: &[(&str, &str, &str)]) -> Vec<String> {
    let values: Vec<String> = (0..)
        .zip(provided)
        .map(|(position, (key, english, greek)): (i64, _)| format!("({position}, '{key}', '{english}', '{greek}')"))
        .collect();
    let (id, now) = match dialect {
        Dialect::Sqlite => ("randomblob(16)", "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')"),
        Dialect::Postgres => ("gen_random_uuid()", "now()"),
    };
    let insert = format!(
        "WITH provided (position, key, english, greek) AS (VALUES {}) \
         INSERT INTO acquisition_stage (id, workspace_id, key, name, position, version, created_at, updated_at) \
         SELECT {id}, w.id, p.key, CASE WHEN w.locale LIKE 'el%' THEN p.greek ELSE p.english END, p.position, 1, {now}, {now} \
         FROM workspace w CROSS JOIN provided p",
        values.join(", ")
    );
    match dialect {
        Dialect::Sqlite => vec![insert],
        // the owner, too, is under forced row security
        Dialect::Postgres => {
            let force = |word: &str| {
                ["workspace", "acquisition_stage"].map(|table| format!("ALTER TABLE {table} {word} ROW LEVEL SECURITY"))
            };
            force("NO FORCE").into_iter().chain([insert]).chain(force("FORCE")).collect()
        }
    }
}
