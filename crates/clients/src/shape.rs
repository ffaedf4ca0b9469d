//! Shapes that clients and contacts share: addresses, e-mails, phones.

use std::borrow::Cow;

use kernel::Patch;
use platform::export::several;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

store::text_enum! {
    /// What an e-mail address or phone is for.
    pub enum ChannelKind {
        /// At work.
        Work = "work",
        /// At home.
        Home = "home",
        /// On the move.
        Mobile = "mobile",
        /// Fax.
        Fax = "fax",
        /// Anything else.
        Other = "other",
    }
}

/// An e-mail address with what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TypedEmail {
    /// What it is for.
    pub kind: ChannelKind,
    /// The address.
    #[schema(format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    pub address: String,
}

/// A phone number with what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TypedPhone {
    /// What it is for.
    pub kind: ChannelKind,
    /// The number, as people write it.
    #[schema(min_length = 1, max_length = 50)]
    #[validate(length(min = 1, max = 50))]
    pub number: String,
    /// The same as E.164 writes it, where it is a valid number. The server writes it; what is sent is not looked at.
    #[schema(read_only, nullable = false, pattern = r"^\+[0-9]{2,15}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e164: Option<String>,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Address {
    /// Street and number.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    /// What does not fit there.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// City.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Region or state.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[schema(max_length = 20)]
    #[validate(length(max = 20))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country, two capital letters (ISO 3166-1).
    #[schema(pattern = "^[A-Z]{2}$")]
    #[validate(custom(function = kernel::shape::country))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A change of a postal address: absent keeps, null clears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct AddressPatch {
    /// Street and number.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub line1: Patch<String>,
    /// What does not fit there.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub line2: Patch<String>,
    /// City.
    #[schema(value_type = Option<String>, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub city: Patch<String>,
    /// Region or state.
    #[schema(value_type = Option<String>, max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub region: Patch<String>,
    /// Postal code.
    #[schema(value_type = Option<String>, max_length = 20)]
    #[validate(length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub postal_code: Patch<String>,
    /// Country, two capital letters (ISO 3166-1).
    #[schema(value_type = Option<String>, pattern = "^[A-Z]{2}$")]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub country: Patch<String>,
}

impl AddressPatch {
    /// Applies the change to what is, or to an empty address.
    pub(crate) fn apply(patch: Patch<Self>, target: &mut Option<Address>) {
        let patch = match patch {
            Patch::Absent => return,
            Patch::Null => {
                *target = None;
                return;
            }
            Patch::Value(patch) => patch,
        };
        let address = target.get_or_insert_default();
        patch.line1.apply(&mut address.line1);
        patch.line2.apply(&mut address.line2);
        patch.city.apply(&mut address.city);
        patch.region.apply(&mut address.region);
        patch.postal_code.apply(&mut address.postal_code);
        patch.country.apply(&mut address.country);
    }
}

/// An address on one line.
pub(crate) fn one_line(address: Option<&Address>) -> Cow<'static, str> {
    let Some(address) = address else { return Cow::Borrowed("") };
    let parts = [&address.line1, &address.line2, &address.postal_code, &address.city, &address.region, &address.country];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ").into()
}

/// E-mail addresses in one cell of a table.
pub(crate) fn addresses(emails: &[TypedEmail]) -> Cow<'static, str> {
    several(emails.iter().map(|email| email.address.as_str()))
}

/// Phones in one cell of a table.
pub(crate) fn numbers(phones: &[TypedPhone]) -> Cow<'static, str> {
    several(phones.iter().map(|phone| phone.number.as_str()))
}

/// Addresses, and those that a file says beside them: one that is there stays where it is, written as the file writes it, and a new one stands
/// first, because it is what the file calls the address. What others have added stays; where there is no more room, the new one takes the place of
/// the first.
pub(crate) fn with_addresses(there: &[TypedEmail], said: &[TypedEmail]) -> Vec<TypedEmail> {
    let key = |email: &TypedEmail| email.address.trim().to_lowercase();
    let mut emails = there.to_vec();
    for said in said.iter().rev() {
        if let Some(same) = emails.iter_mut().find(|email| key(email) == key(said)) {
            same.address.clone_from(&said.address);
            continue;
        }
        if emails.len() >= MOST_EMAILS {
            emails.remove(0);
        }
        emails.insert(0, said.clone());
    }
    emails
}

/// How many addresses a record may have.
const MOST_EMAILS: usize = 20;

/// The address in the form in which it is compared.
pub(crate) fn email_key(emails: &[TypedEmail]) -> Option<String> {
    emails.first().map(|email| email.address.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_more_room_a_new_address_takes_the_place_of_the_first() {
        let email = |name: &str| TypedEmail { kind: ChannelKind::Work, address: format!("{name}@example.com") };
        let full: Vec<TypedEmail> = (0..MOST_EMAILS).map(|number| email(&number.to_string())).collect();
        let with_new = with_addresses(&full, &[email("new")]);
        assert_eq!((with_new.len(), &with_new[0].address, &with_new[1..]), (MOST_EMAILS, &email("new").address, &full[1..]));
        assert_eq!(with_addresses(&full, &[email("7")]), full);
    }
}
