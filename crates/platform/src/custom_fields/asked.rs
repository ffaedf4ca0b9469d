//! What a list is asked of custom fields.

use kernel::Result;
use store::list::{CustomFields, MAX_IN, Operator, ValueCondition, ValueFilter, ValueKey, Wrong, like_pattern};
use uuid::Uuid;

use super::FieldState;
use super::fields::{Field, Fields};
use super::shape::FieldType;
use super::sorted::Compared;
use super::value::FieldValue;

impl FieldType {
    /// Whether its values are text as people write it, of which a part can be looked for.
    const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Url | Self::Email)
    }

    /// The operators by which its values can be compared.
    fn operators(self) -> &'static [(&'static str, Operator)] {
        const ALL: &[(&str, Operator)] = &[
            ("eq", Operator::Eq),
            ("ne", Operator::Ne),
            ("in", Operator::In),
            ("is_null", Operator::IsNull),
            ("gt", Operator::Gt),
            ("gte", Operator::Gte),
            ("lt", Operator::Lt),
            ("lte", Operator::Lte),
            ("like", Operator::Like),
        ];
        let how_many = match self {
            Self::Text | Self::Url | Self::Email => 9,
            Self::Number | Self::Money | Self::Date | Self::Datetime => 8,
            Self::Boolean | Self::Select | Self::MultiSelect | Self::Reference => 4,
        };
        ALL.get(..how_many).unwrap_or(ALL)
    }
}

impl Field {
    /// How a value compares that stands in a query.
    fn compared(&self, text: &str) -> Result<ValueKey, Wrong> {
        let no_value = || Err(("invalid_value", "must not be empty; whether there is a value, is_null tells".to_owned()));
        if self.shape.field_type.is_text() {
            let key = Compared::folded(text).key;
            return if key.text.is_empty() { no_value() } else { Ok(key) };
        }
        match FieldValue::read_cell(&self.shape, text, "") {
            Ok(Some(value)) => match Compared::of(&value).as_slice() {
                [one] => Ok(one.key.clone()),
                _ => Err(("invalid_value", "must be one option; one of several is asked for by in".to_owned())),
            },
            Ok(None) => no_value(),
            Err(fault) => Err(("invalid_value", fault.message)),
        }
    }

    fn condition(&self, operator: Operator, value: &str) -> Result<ValueCondition, Wrong> {
        Ok(match operator {
            Operator::Eq => ValueCondition::Any(vec![self.compared(value)?]),
            Operator::Ne => ValueCondition::Not(self.compared(value)?),
            Operator::In if value.split(',').count() > MAX_IN => {
                return Err(("invalid_value", format!("must be at most {MAX_IN} values")));
            }
            Operator::In => ValueCondition::Any(value.split(',').map(|part| self.compared(part)).collect::<Result<_, Wrong>>()?),
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => {
                let than = self.compared(value)?;
                if self.shape.field_type.is_text() {
                    ValueCondition::Text(operator, than.text)
                } else {
                    ValueCondition::Number(operator, than)
                }
            }
            Operator::Like => ValueCondition::Like(like_pattern(value)),
            Operator::IsNull => match value {
                "true" => ValueCondition::IsNone(true),
                "false" => ValueCondition::IsNone(false),
                _ => return Err(("invalid_value", "must be true or false".to_owned())),
            },
        })
    }
}

impl CustomFields for Fields {
    fn filter(&self, key: &str, operator: Operator, value: &str) -> Result<ValueFilter, Wrong> {
        let unknown = || ("unknown_filter", format!("there is no such custom field; there are {}", self.known()));
        let field = self.find(key).ok_or_else(unknown)?;
        let operators = field.shape.field_type.operators();
        if !operators.iter().any(|(_, fitting)| *fitting == operator) {
            let known: Vec<&str> = operators.iter().map(|(name, _)| *name).collect();
            return Err(("unknown_operator", format!("there is no such operator here; there are {}", known.join(", "))));
        }
        Ok(ValueFilter {
            field: kernel::TypedId::uuid(field.id),
            condition: field.condition(operator, value)?,
            is_complete: field.state == FieldState::Ready,
        })
    }

    fn sort(&self, key: &str) -> Result<Uuid, Wrong> {
        let sortable = || {
            let fields = self.iter().filter(|field| field.shape.field_type.is_single() && !field.shape.archived);
            let keys: Vec<String> = fields.map(|field| format!("cf[{}]", field.shape.key)).collect();
            if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
        };
        let unknown = || ("unknown_sort", format!("there is no such sort; of custom fields there are {}", sortable()));
        let field = self.find(key).filter(|field| field.shape.field_type.is_single()).ok_or_else(unknown)?;
        if field.state == FieldState::Preparing {
            return Err(("not_ready", "the field is new, and older records are being told of it; try again soon".to_owned()));
        }
        Ok(kernel::TypedId::uuid(field.id))
    }
}
