//! The values of a record, and a change of them.

use kernel::error::Faults;
use serde_json::{Map, Value};

use super::shape::FieldShape;
use super::value::FieldValue;

/// When values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The record is made: defaults are filled in, and all that is required must be there.
    Create,
    /// The record comes from elsewhere, as it is: defaults are filled in, and what is required may be missing.
    Import,
    /// The record is changed: what the change does not name stays as it is, even where a field has become required since.
    Change,
}

/// Lays a change over the values that a record has, as RFC 7396 has it: absent keeps, null takes away. Everything that is wrong is told at its
/// own pointer below `at`, which is that of the object `custom_fields`; where anything is, the answer is of no use.
///
/// A field that is archived keeps its values and takes none, but what a record has can be sent back as it is.
pub(super) fn merge(
    shapes: &[&FieldShape],
    before: &Map<String, Value>,
    change: &Map<String, Value>,
    occasion: Occasion,
    at: &str,
    faults: &mut Faults,
) -> Map<String, Value> {
    let mut after = before.clone();
    for (key, json) in change {
        let pointer = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        let Some(shape) = shapes.iter().find(|shape| shape.key == *key) else {
            faults.add(pointer, "unknown_field", unknown(shapes));
            continue;
        };
        if json.is_null() {
            after.remove(key);
            if shape.required && !shape.archived && occasion != Occasion::Import {
                faults.add(pointer, "required", "must have a value");
            }
            continue;
        }
        if before.get(key) == Some(json) {
            // what a record has can be sent back, whatever became of the field since
            continue;
        }
        match FieldValue::read(shape, json, &pointer).map(|value| value.json()) {
            Err(fault) => faults.extend([fault]),
            Ok(value) if shape.archived && before.get(key) != Some(&value) => {
                faults.add(pointer, "archived", "the field is archived and takes no values");
            }
            Ok(value) => {
                after.insert(key.clone(), value);
            }
        }
    }
    if occasion != Occasion::Change {
        fill(shapes, change, occasion, at, &mut after, faults);
    }
    after
}

/// Gives a new record the defaults of what it does not name. A null says that it wants none.
fn fill(
    shapes: &[&FieldShape],
    named: &Map<String, Value>,
    occasion: Occasion,
    at: &str,
    after: &mut Map<String, Value>,
    faults: &mut Faults,
) {
    let left_out = |shape: &&&FieldShape| !shape.archived && !named.contains_key(&shape.key);
    for shape in shapes.iter().filter(left_out) {
        let pointer = format!("{at}/{}", shape.key);
        match &shape.default {
            // read once more: an option may have gone since it was made the default
            Some(default) => match FieldValue::read(shape, default, &pointer) {
                Ok(value) => {
                    after.insert(shape.key.clone(), value.json());
                }
                Err(fault) => faults.extend([fault]),
            },
            None if shape.required && occasion == Occasion::Create => faults.add(pointer, "required", "must have a value"),
            None => {}
        }
    }
}

fn unknown(shapes: &[&FieldShape]) -> String {
    let keys: Vec<_> = shapes.iter().filter(|shape| !shape.archived).map(|shape| shape.key.as_str()).collect();
    if keys.is_empty() { "there are no custom fields".to_owned() } else { format!("must be one of {}", keys.join(", ")) }
}
