//! The table as it is pinned in `tests/permissions.txt`: one row for each operation, one column for each kind of caller.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;

const LEGEND: &str = "\
# Who gets what: the status of every operation for every kind of caller, as tests/it/permissions finds it.
# Several statuses: a record of one's own / a colleague's / another workspace's; a member who may less / who may more / another
# workspace's; or, of what nobody owns, this workspace's / another's. One status: the same for all of them.
# installation is a super admin of the installation, signed in.
# token holds what the operation names and sees the whole workspace, token:own sees its maker's records, token:lacking holds everything
# but what the operation names. Those after it are no good any more, or not from here.
# contact is in the portal of a client with every permission there, contact:other in that of another with two of the menu.
";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("permissions.txt")
}

/// A row: the operation and its cells; of the heading, nothing and the names of the callers.
type Cells = Vec<String>;

/// The first row, with these names of callers.
pub(crate) fn heading<'a>(names: impl Iterator<Item = &'a str>) -> Cells {
    std::iter::once("").chain(names).map(str::to_owned).collect()
}

/// The rows that are in a text, by their operation; the heading by nothing.
fn rows(text: &str) -> BTreeMap<String, Cells> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let cells = lines.map(|line| {
        // the heading has nothing in its first column
        let first = line.starts_with(' ').then_some("");
        first.into_iter().chain(line.split_whitespace()).map(str::to_owned).collect::<Cells>()
    });
    cells.map(|cells| (cells[0].clone(), cells)).collect()
}

/// The table as text, its columns aligned.
fn text(rows: &BTreeMap<String, Cells>) -> String {
    let columns = rows.values().map(Vec::len).max().unwrap_or_default();
    let width = |at: usize| rows.values().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = LEGEND.to_owned();
    for row in rows.values() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(table, "{}", cells.join("  ").trim_end()).unwrap();
    }
    table
}

/// Takes the file for this change alone: the quarters of the matrix run beside each other.
fn change(changed: impl FnOnce(&mut BTreeMap<String, Cells>)) {
    let lock = File::create(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("permissions.lock")).unwrap();
    lock.lock().unwrap();
    let mut all = rows(&std::fs::read_to_string(path()).unwrap_or_default());
    changed(&mut all);
    std::fs::write(path(), text(&all)).unwrap();
}

/// That what was found is what is pinned. With `UPDATE` in the environment it is pinned.
pub(crate) fn compare(found: &[Cells]) {
    if std::env::var_os("UPDATE").is_some() {
        return change(|all| all.extend(found.iter().map(|cells| (cells[0].clone(), cells.clone()))));
    }
    let pinned = rows(&std::fs::read_to_string(path()).unwrap_or_default());
    let differ: Vec<String> =
        found.iter().filter(|cells| pinned.get(&cells[0]) != Some(cells)).map(|cells| cells.join("  ")).collect();
    assert!(
        differ.is_empty(),
        "tests/permissions.txt differs; write it anew with: UPDATE=1 cargo nextest run -p pelatis-tests every_operation_answers pinned_table\n{}",
        differ.join("\n")
    );
}

/// That the file has these operations and no others, and is written as it is written here.
pub(crate) fn has_rows_for(operations: &[&str]) {
    if std::env::var_os("UPDATE").is_some() {
        // what is missing, the quarters write
        return change(|all| all.retain(|operation, _| operation.is_empty() || operations.contains(&operation.as_str())));
    }
    let pinned = std::fs::read_to_string(path()).unwrap_or_default();
    let there = rows(&pinned);
    let has: Vec<&str> = there.keys().map(String::as_str).filter(|operation| !operation.is_empty()).collect();
    let missing: Vec<_> = operations.iter().filter(|operation| !has.contains(operation)).collect();
    let gone: Vec<_> = has.iter().filter(|operation| !operations.contains(operation)).collect();
    assert!(gone.is_empty() && missing.is_empty(), "without a row: {missing:?}; rows of nothing: {gone:?}");
    assert!(pinned == text(&there), "tests/permissions.txt was not written by its tests");
}
