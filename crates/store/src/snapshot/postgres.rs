//! PostgreSQL: rows as `COPY` writes them, table by table.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use kernel::{Error, Result, TypedId as _, WorkspaceId};

use super::{Cutter, Parts, Sequence};
use crate::conn::{Conn, Link, values};
use crate::errors::from_sqlx;

/// A table, and who sees its rows.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub name: String,
    pub columns: Vec<String>,
    is_walled: bool,
}

impl Shape {
    /// Whether its rows are seen workspace by workspace.
    pub fn by_workspace(&self) -> bool {
        self.is_walled && self.columns.iter().any(|column| column == "workspace_id")
    }

    /// The rows that belong to no workspace, or all where the table knows none.
    pub fn of_installation(&self) -> String {
        self.copy(if self.by_workspace() { " WHERE workspace_id IS NULL" } else { "" })
    }

    /// The rows of a workspace.
    pub fn of_workspace(&self, workspace: WorkspaceId) -> String {
        self.copy(&format!(" WHERE workspace_id = '{}'", workspace.uuid()))
    }

    fn copy(&self, which: &str) -> String {
        format!("COPY (SELECT {} FROM public.{}{which}) TO STDOUT", quoted(&self.columns), quote(&self.name))
    }
}

/// A name, as statements have it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names of columns, as statements have them.
pub(super) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// Every table but the list of steps, each after those that it refers to.
pub(super) async fn shapes(conn: &mut Conn) -> Result<Vec<Shape>> {
    let tables = "SELECT c.relname::text, c.relrowsecurity, a.attname::text FROM pg_class c \
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
        AND c.relname <> 'seaql_migrations' ORDER BY c.relname, a.attnum";
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    for row in conn.sql_rows(tables.to_owned(), values(Vec::new())).await? {
        let (name, is_walled): (String, bool) = (row.get(0)?, row.get(1)?);
        let shape = shapes.entry(name.clone()).or_insert(Shape { name, columns: Vec::new(), is_walled });
        shape.columns.push(row.get(2)?);
    }
    let references = "SELECT DISTINCT a.relname::text, b.relname::text FROM pg_constraint f JOIN pg_class a ON a.oid = f.conrelid \
        JOIN pg_class b ON b.oid = f.confrelid WHERE f.contype = 'f' AND a.relnamespace = 'public'::regnamespace AND a.oid <> b.oid";
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in conn.sql_rows(references.to_owned(), values(Vec::new())).await? {
        needs.entry(row.get(0)?).or_default().insert(row.get(1)?);
    }
    in_order(shapes, &needs)
}

/// Each after those that it needs.
fn in_order(mut shapes: BTreeMap<String, Shape>, needs: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<Shape>> {
    let mut ordered = Vec::with_capacity(shapes.len());
    while !shapes.is_empty() {
        let free = |name: &&String| needs.get(*name).is_none_or(|needed| needed.iter().all(|other| !shapes.contains_key(other)));
        let next = shapes.keys().find(free).cloned();
        let next = next.and_then(|name| shapes.remove(&name));
        ordered.push(next.ok_or_else(|| Error::internal("tables refer to each other in a circle"))?);
    }
    Ok(ordered)
}

/// Where every sequence stands.
pub(super) async fn sequences(conn: &mut Conn) -> Result<Vec<Sequence>> {
    let select = "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL \
        ORDER BY sequencename";
    let rows = conn.sql_rows(select.to_owned(), values(Vec::new())).await?;
    rows.iter().map(|row| Ok(Sequence { name: row.get(0)?, last: row.get(1)? })).collect()
}

/// Runs a `COPY … TO STDOUT` and says how many rows it wrote: a line for each, as line breaks in values are written `\n`.
pub(super) async fn copy_out<P: Parts>(conn: &mut Conn, statement: &str, out: &mut Cutter<'_, P>) -> Result<u64> {
    let Link::Postgres(link) = &mut conn.link else { return Err(Error::internal("this connection is not PostgreSQL's")) };
    let mut pieces = link.copy_out_raw(statement).await.map_err(from_sqlx)?;
    let mut rows = 0;
    while let Some(piece) = pieces.try_next().await.map_err(from_sqlx)? {
        rows += piece.iter().filter(|byte| **byte == b'\n').count();
        out.push(&piece).await?;
    }
    u64::try_from(rows).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str, columns: &[&str], is_walled: bool) -> Shape {
        Shape { name: name.to_owned(), columns: columns.iter().map(|&column| column.to_owned()).collect(), is_walled }
    }

    #[test]
    fn tables_stand_after_those_that_they_refer_to() {
        let shapes: BTreeMap<String, Shape> =
            ["a", "b", "c", "d"].into_iter().map(|name| (name.to_owned(), shape(name, &["id"], false))).collect();
        let need = |pairs: &[(&str, &str)]| {
            let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (from, to) in pairs {
                needs.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            }
            needs
        };
        let ordered = in_order(shapes.clone(), &need(&[("a", "c"), ("c", "d"), ("b", "a"), ("b", "elsewhere")])).unwrap();
        assert_eq!(ordered.iter().map(|shape| shape.name.as_str()).collect::<Vec<_>>(), ["d", "c", "a", "b"]);
        assert!(in_order(shapes, &need(&[("a", "c"), ("c", "a")])).is_err());
    }

    #[test]
    fn rows_behind_a_wall_are_asked_for_by_workspace() {
        let id = WorkspaceId::from_uuid(uuid::Uuid::nil());
        let client = shape("client", &["id", "workspace_id"], true);
        assert!(client.by_workspace());
        assert_eq!(
            client.of_installation(),
            "COPY (SELECT \"id\", \"workspace_id\" FROM public.\"client\" WHERE workspace_id IS NULL) TO STDOUT"
        );
        assert!(client.of_workspace(id).ends_with("WHERE workspace_id = '00000000-0000-0000-0000-000000000000') TO STDOUT"));
        // the workspaces themselves, and what has no wall, are seen by the installation
        for whole in [shape("workspace", &["id"], true), shape("job_worker", &["id", "workspace_id"], false)] {
            assert!(!whole.by_workspace());
            assert!(!whole.of_installation().contains("WHERE"));
        }
    }
}
