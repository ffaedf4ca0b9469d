//! The custom fields of a record type, as they are when a record is written or a list is asked.

use kernel::error::Faults;
use kernel::{Result, TypedId as _, WorkspaceId};
use serde_json::{Map, Value};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::set::{self, Occasion};
use super::shape::FieldShape;
use super::value::FieldValue;
use super::{CustomFieldId, CustomFieldRow, FieldState, FieldTarget};

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub id: CustomFieldId,
    pub shape: FieldShape,
    pub is_unique: bool,
    pub target: Option<FieldTarget>,
    pub state: FieldState,
}

impl From<CustomFieldRow> for Field {
    fn from(row: CustomFieldRow) -> Self {
        Self { id: row.id, shape: row.shape(), is_unique: row.is_unique, target: row.target, state: row.state }
    }
}

/// The custom fields of a record type, archived ones with them, in their order.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    all: Vec<Field>,
}

/// A record that a value names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where the value stands.
    pub pointer: String,
    /// What it names.
    pub target: FieldTarget,
    /// Which one.
    pub id: Uuid,
}

fn column(name: &'static str) -> Expr {
    Expr::col(("custom_field", name))
}

/// The fields of a record type that are not about to go.
fn select(workspace: WorkspaceId, record_type: &'static str) -> SelectStatement {
    let mut select = CustomFieldRow::select();
    select
        .and_where(column("workspace_id").eq(workspace.uuid()))
        .and_where(column("record_type").eq(record_type))
        .and_where(column("state").ne(FieldState::Purging.as_str()))
        .order_by(("custom_field", "position"), Order::Asc)
        .order_by(("custom_field", "id"), Order::Asc);
    select
}

impl Fields {
    /// As they are now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of(conn: &mut Conn, workspace: WorkspaceId, record_type: &'static str) -> Result<Self> {
        let rows = conn.all::<CustomFieldRow>(&select(workspace, record_type)).await?;
        Ok(Self { all: rows.into_iter().map(Field::from).collect() })
    }

    /// As they are, and stay until the unit of work ends: for what gives records values.
    ///
    /// # Errors
    /// What the database says.
    pub async fn held(uow: &mut UnitOfWork, record_type: &'static str) -> Result<Self> {
        let workspace = uow.workspace()?;
        let fields = Self::of(uow, workspace, record_type).await?;
        if fields.is_empty() || !uow.dialect().has_many_writers() {
            return Ok(fields);
        }
        // the workspace first, as whoever changes fields does
        uow.hold_row("workspace", workspace.uuid()).await?;
        let rows = uow.held_all::<CustomFieldRow>(select(workspace, record_type)).await?;
        Ok(Self { all: rows.into_iter().map(Field::from).collect() })
    }

    /// Those of some values that are values of these fields. Others are of fields that were purged since, or whose options went: what is put
    /// back from elsewhere must not bring them.
    pub fn known_values(&self, values: &Map<String, Value>) -> Map<String, Value> {
        let fits = |(key, value): &(&String, &Value)| {
            self.find(key).is_some_and(|field| FieldValue::read(&field.shape, value, "").is_ok())
        };
        values.iter().filter(fits).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Lays a change over the values that a record has, as RFC 7396 has it, and tells everything that is wrong with it at its own pointer
    /// below `at`, which is that of the object `custom_fields`.
    pub fn lay(
        &self,
        before: &Map<String, Value>,
        change: &Map<String, Value>,
        occasion: Occasion,
        at: &str,
        faults: &mut Faults,
    ) -> Map<String, Value> {
        let shapes: Vec<&FieldShape> = self.all.iter().map(|field| &field.shape).collect();
        set::merge(&shapes, before, change, occasion, at, faults)
    }

    /// The records that a change names. Whether there are such, their domains know.
    pub fn references(&self, change: &Map<String, Value>, at: &str) -> Vec<Reference> {
        let named = self.all.iter().filter_map(|field| {
            let target = field.target?;
            let value = change.get(&field.shape.key).filter(|value| !value.is_null())?;
            let pointer = format!("{at}/{}", field.shape.key);
            match FieldValue::read(&field.shape, value, &pointer) {
                Ok(FieldValue::Reference(id)) => Some(Reference { pointer, target, id }),
                _ => None,
            }
        });
        named.collect()
    }

    /// The fields whose values name records of a type, with their keys.
    pub fn naming(&self, target: FieldTarget) -> impl Iterator<Item = (Uuid, String)> {
        let naming = self.all.iter().filter(move |field| field.target == Some(target));
        naming.map(|field| (field.id.uuid(), field.shape.key.clone()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.all.iter()
    }

    pub(super) fn find(&self, key: &str) -> Option<&Field> {
        self.all.iter().find(|field| field.shape.key == key)
    }

    /// The shapes of those that are in use, in their order.
    pub fn in_use(&self) -> impl Iterator<Item = &FieldShape> {
        self.all.iter().map(|field| &field.shape).filter(|shape| !shape.archived)
    }

    /// The shape of one, archived or not.
    pub fn shape(&self, key: &str) -> Option<&FieldShape> {
        self.find(key).map(|field| &field.shape)
    }

    /// The keys of those that are in use, for messages.
    pub(super) fn known(&self) -> String {
        let keys: Vec<&str> = self.in_use().map(|shape| shape.key.as_str()).collect();
        if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
    }
}
