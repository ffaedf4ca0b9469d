//! Exports: a whole list as a table, in the order and with the filters that it was asked for.
//!
//! To let a record type be exported, its domain says how its list is read to the end and what stands in each column: an [`Export`]. `api`
//! reads batch after batch, writes them as a table and sends them meanwhile.
//!
//! Each batch is a read of its own (see [`Whole`]), so an export of minutes holds no transaction open, and of a list that changes meanwhile
//! it is no picture of one moment: a record is as it was when its turn came.

use std::borrow::Cow;

use kernel::error::Faults;
use kernel::{Caller, DateTime, Result, percent};
use serde_json::{Map, Value};
use store::list::{ListQuery, ListSpec, Whole, custom_key};
use store::{Action, Change, Conn, UnitOfWork};

use crate::custom_fields::{FieldShape, FieldValue, Fields};
use crate::table::{TableForm, TableWriter};

/// Parameters of an export beside those of its list.
pub const PARAMETERS: [&str; 2] = ["format", "columns"];

/// A column of an export.
#[derive(Debug)]
pub struct Column<R> {
    /// Its name: that of the member of the wire form.
    pub name: &'static str,
    /// What stands in it for a record.
    pub cell: fn(&R) -> Cow<'_, str>,
}

/// A record type that can be exported.
pub trait Export: 'static {
    /// A record.
    type Record: Send + 'static;
    /// The event that an export began, such as `client.export_started`.
    const STARTED: &'static str;

    /// Its list.
    fn list() -> &'static ListSpec;

    /// Its columns: the members of its list, in their order, but for the custom fields.
    fn columns() -> &'static [Column<Self::Record>];

    /// The values of a record's custom fields, which have a column each.
    fn custom_fields(record: &Self::Record) -> &Map<String, Value>;

    /// The next records, as far as the caller may see and export them.
    ///
    /// # Errors
    /// `forbidden`; what the database says.
    fn batch(conn: &mut Conn, caller: &Caller, list: &mut Whole) -> impl Future<Output = Result<Vec<Self::Record>>>;
}

/// A column that was chosen.
enum Chosen<R: 'static> {
    Own(&'static Column<R>),
    Custom(Box<CustomColumn>),
}

/// A column of a custom field.
#[derive(Clone, Debug)]
struct CustomColumn {
    /// Its name: `cf[key]`.
    name: String,
    key: String,
    /// What its values are, once that was found out.
    shape: Option<FieldShape>,
}

impl<R> Clone for Chosen<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Own(column) => Self::Own(column),
            Self::Custom(column) => Self::Custom(column.clone()),
        }
    }
}

impl<R> Chosen<R> {
    fn name(&self) -> &str {
        match self {
            Self::Own(column) => column.name,
            Self::Custom(column) => &column.name,
        }
    }

    fn cell<'r>(&self, record: &'r R, values: &'r Map<String, Value>) -> Cow<'r, str> {
        match self {
            Self::Own(column) => (column.cell)(record),
            Self::Custom(column) => column.cell(values).into(),
        }
    }
}

impl CustomColumn {
    fn of(key: &str) -> Self {
        Self { name: format!("cf[{key}]"), key: key.to_owned(), shape: None }
    }

    fn cell(&self, values: &Map<String, Value>) -> String {
        let Some((value, shape)) = values.get(&self.key).zip(self.shape.as_ref()) else { return String::new() };
        match FieldValue::read(shape, value, "") {
            Ok(value) => value.cell(),
            // an option that went since, say: it is what the record has
            Err(_) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        }
    }
}

/// What is asked of an export.
pub struct ExportQuery<E: Export> {
    /// The form of the table.
    pub form: TableForm,
    /// The list.
    pub list: ListQuery,
    columns: Vec<Chosen<E::Record>>,
    /// The filters and the sort, as a query string.
    asked: String,
}

impl<E: Export> ExportQuery<E> {
    /// Reads the query string of an export, decoded into pairs.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong, each unknown name with the names there are.
    pub fn parse(pairs: Vec<(String, String)>) -> Result<Self> {
        let (own, of_list): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| PARAMETERS.contains(&name.as_str()));
        let mut faults = Faults::new();
        let (mut form, mut columns) = (TableForm::Csv, Vec::new());
        for (name, value) in &own {
            if name == "format" {
                match value.parse() {
                    Ok(known) => form = known,
                    Err(_) => faults.add("?format", "unknown_value", format!("must be one of {}", TableForm::TEXTS.join(", "))),
                }
            } else {
                take_columns::<E>(value, &mut columns, &mut faults);
            }
        }
        let list = faults.keep(ListQuery::parse_whole(E::list(), &of_list, &PARAMETERS))?;
        faults.into_result()?;
        Ok(Self { form, list: list.unwrap_or_default(), columns, asked: percent::query_string(&of_list) })
    }

    /// Finds out which custom fields are meant. Where no columns are chosen, all that are in use have one, behind the others.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong with them; what the database says.
    pub async fn resolve(&mut self, conn: &mut Conn, caller: &Caller) -> Result<()> {
        let fields = Fields::of(conn, caller.workspace()?, E::list().table).await?;
        let mut faults = Faults::new();
        if let Some(list) = faults.keep(self.list.resolve(&fields))? {
            self.list = list;
        }
        if self.columns.is_empty() {
            self.columns.extend(E::columns().iter().map(Chosen::Own));
            self.columns.extend(fields.in_use().map(|shape| Chosen::Custom(Box::new(CustomColumn::of(&shape.key)))));
        }
        for column in &mut self.columns {
            let Chosen::Custom(column) = column else { continue };
            column.shape = fields.shape(&column.key).cloned();
            if column.shape.is_none() {
                let known: Vec<String> = fields.in_use().map(|shape| format!("cf[{}]", shape.key)).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                faults.add("?columns", "unknown_column", format!("there is no such column; of custom fields there are {known}"));
            }
        }
        faults.into_result()
    }

    /// The table, with its header.
    ///
    /// # Errors
    /// `internal` when it cannot be written.
    pub fn begin(&self) -> Result<Table<E>> {
        let headers: Vec<&str> = self.columns.iter().map(Chosen::name).collect();
        let writer = TableWriter::new(self.form, E::list().name, &headers)?;
        Ok(Table { writer, columns: self.columns.clone() })
    }

    fn change(&self) -> Change {
        let columns: Vec<&str> = self.columns.iter().map(Chosen::name).collect();
        // somebody may have been looked for by name
        Change::plain()
            .detail("format", self.form.as_str())
            .detail("columns", columns)
            .personal_detail("query", self.asked.as_str())
    }
}

impl<E: Export> std::fmt::Debug for ExportQuery<E> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ExportQuery({}, {})", E::list().name, self.form.as_str())
    }
}

fn take_columns<E: Export>(names: &str, columns: &mut Vec<Chosen<E::Record>>, faults: &mut Faults) {
    let custom = |name: &str| {
        let (key, _) = custom_key(name).filter(|(_, rest)| rest.is_empty() && E::list().custom_fields)?;
        Some(Chosen::Custom(Box::new(CustomColumn::of(key))))
    };
    for name in names.split(',') {
        let own = E::columns().iter().find(|column| column.name == name).map(Chosen::Own);
        match own.or_else(|| custom(name)) {
            Some(column) if columns.iter().any(|taken| taken.name() == column.name()) => {
                faults.add("?columns", "repeated", "names a column twice");
            }
            Some(column) => columns.push(column),
            None => {
                let known: Vec<&str> = E::columns().iter().map(|column| column.name).collect();
                let message = format!("there is no such column; there are {}", known.join(", "));
                faults.add("?columns", "unknown_column", message);
            }
        }
    }
}

/// The table of an export, which is being written.
pub struct Table<E: Export> {
    writer: TableWriter,
    columns: Vec<Chosen<E::Record>>,
}

impl<E: Export> std::fmt::Debug for Table<E> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Table({})", E::list().name)
    }
}

impl<E: Export> Table<E> {
    /// Writes records, and takes what is ready by then. It takes its time: not on a thread that others wait for.
    ///
    /// # Errors
    /// `internal` when they cannot be written.
    pub fn write(&mut self, records: &[E::Record]) -> Result<Vec<u8>> {
        for record in records {
            let values = E::custom_fields(record);
            self.writer.row(self.columns.iter().map(|column| column.cell(record, values)))?;
        }
        self.writer.take()
    }

    /// The rest of it.
    ///
    /// # Errors
    /// `internal` when it cannot be written.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.writer.finish()
    }
}

/// Journals that an export begins, before anything of it leaves.
pub fn note_begin<E: Export>(uow: &mut UnitOfWork, query: &ExportQuery<E>) {
    uow.record(Action::Export, E::list().table, None, query.change().event(E::STARTED));
}

/// Journals that an export has ended: how many records have left, and whether these were all.
pub fn note_end<E: Export>(uow: &mut UnitOfWork, query: &ExportQuery<E>, rows: u64, is_whole: bool) {
    uow.record(Action::Export, E::list().table, None, query.change().detail("rows", rows).detail("is_whole", is_whole));
}

/// A moment as the wire form has it.
pub fn moment(at: DateTime) -> Cow<'static, str> {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into()
}

/// What may be empty.
pub fn or_empty(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

/// Several in one cell.
pub fn several<'t>(texts: impl Iterator<Item = &'t str>) -> Cow<'static, str> {
    texts.collect::<Vec<_>>().join(", ").into()
}
