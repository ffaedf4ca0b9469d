//! How likely it is that two clients are one, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::subject::Subject;

store::text_enum! {
    /// Why two clients may be one.
    pub enum DuplicateReasonKind {
        /// They have the same tax number, with or without its country.
        SameTaxNumber = "same_tax_number",
        /// They have an e-mail address in common.
        SameEmail = "same_email",
        /// They have a phone number in common, however it is written.
        SamePhone = "same_phone",
        /// Their names are the same but for case, accents, alphabet, order and the form of company.
        SameName = "same_name",
        /// Their names differ in few letters.
        SimilarName = "similar_name",
        /// Their website or mail is at the same host, which is not one where everybody has theirs, and their names are not unlike.
        SameHost = "same_host",
    }
}

/// One reason why two clients may be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DuplicateReason {
    /// Which.
    pub reason: DuplicateReasonKind,
    /// How likely it makes it by itself, of 100.
    #[schema(minimum = 1, maximum = 100)]
    pub score: i64,
}

/// How likely two clients are one, of 100, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Likeness {
    pub score: i64,
    pub reasons: Vec<DuplicateReason>,
}

/// What is told: less is chance.
pub(super) const TOLD: i64 = 60;
/// From which likeness on names are called similar, and of those at one host.
const SIMILAR: i64 = 80;
const NOT_UNLIKE: i64 = 50;
/// What is left of the likeness of two that have tax numbers, and not the same: branches, namesakes.
const WITH_OTHER_TAX_NUMBER: i64 = 60;
/// What is left of the likeness of a company and a person.
const OF_ANOTHER_KIND: i64 = 80;

fn share<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.iter().any(|value| other.contains(value))
}

/// How likely two are one. Each reason leaves open that they are not, and what all of them leave open is that much less.
pub(super) fn likeness(one: &Subject, other: &Subject) -> Likeness {
    use DuplicateReasonKind::{SameEmail, SameHost, SameName, SamePhone, SameTaxNumber, SimilarName};
    let mut reasons = Vec::new();
    let mut add = |reason, score| reasons.push(DuplicateReason { reason, score });
    let has_same_number = one.tax_number.is_some() && one.tax_number == other.tax_number;
    if has_same_number {
        add(SameTaxNumber, 90);
    }
    if share(&one.emails, &other.emails) {
        add(SameEmail, 80);
    }
    let names = one.names.iter().flat_map(|one| other.names.iter().map(move |other| one.likeness(other)));
    let name = names.max().unwrap_or(0);
    if name == 100 {
        add(SameName, 75);
    } else if name >= SIMILAR {
        // one letter of ten is a slip, two are perhaps another name
        add(SimilarName, name - 30);
    }
    if share(&one.phones(), &other.phones()) {
        add(SamePhone, 60);
    }
    if name >= NOT_UNLIKE && share(&one.hosts, &other.hosts) {
        add(SameHost, 45);
    }
    // in parts of a million, so that nothing is lost on the way
    let open = reasons.iter().fold(1_000_000, |open, reason| open * (100 - reason.score) / 100);
    let mut score = (1_000_000 - open) / 10_000;
    if one.tax_number.is_some() && other.tax_number.is_some() && !has_same_number {
        score = score * WITH_OTHER_TAX_NUMBER / 100;
    }
    if one.kind != other.kind {
        score = score * OF_ANOTHER_KIND / 100;
    }
    Likeness { score, reasons }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicates::subject::Written;
    use crate::rows::ClientKind;
    use crate::shape::{ChannelKind, TypedEmail};

    fn subject(name: &str, tax_number: Option<&str>, email: Option<&str>, phone: Option<&str>) -> Subject {
        let emails: Vec<TypedEmail> =
            email.map(|address| TypedEmail { kind: ChannelKind::Work, address: address.to_owned() }).into_iter().collect();
        Subject::of(&Written {
            kind: ClientKind::Company,
            name,
            legal_name: None,
            tax_number,
            website: None,
            emails: &emails,
            phone,
            phones: &[],
            country: "GR",
        })
    }

    fn said(one: &Subject, other: &Subject) -> (i64, Vec<DuplicateReasonKind>) {
        let found = likeness(one, other);
        (found.score, found.reasons.iter().map(|reason| reason.reason).collect())
    }

    #[test]
    fn reasons_add_up_and_never_to_certainty() {
        use DuplicateReasonKind::{SameEmail, SameHost, SameName, SamePhone, SameTaxNumber, SimilarName};
        let acme = subject("Acme Α.Ε.", Some("EL123456789"), Some("info@acme.gr"), Some("210 123 4567"));
        let all = said(&acme, &subject("ACME SA", Some("123456789"), Some("INFO@acme.gr"), Some("+30 2101234567")));
        assert_eq!(all, (99, vec![SameTaxNumber, SameEmail, SameName, SamePhone, SameHost]));
        assert_eq!(said(&acme, &subject("Borealis", Some("123456789"), None, None)), (90, vec![SameTaxNumber]));
        assert_eq!(said(&acme, &subject("Borealis", None, None, Some("2101234567"))), (60, vec![SamePhone]));
        assert_eq!(said(&acme, &subject("Acme", None, None, None)), (75, vec![SameName]));
        let (score, reasons) =
            said(&subject("Borealis Shipping", None, None, None), &subject("Borealis Shiping", None, None, None));
        assert_eq!(reasons, [SimilarName]);
        assert!((60..75).contains(&score), "{score}");
        assert_eq!(said(&acme, &subject("Acne", None, Some("sales@acme.gr"), None)).1, [SameHost]);
        assert_eq!(said(&acme, &subject("Zeta", None, Some("sales@acme.gr"), None)).0, 0);
    }

    #[test]
    fn another_tax_number_speaks_against_it() {
        let one = subject("Acme", Some("123456789"), None, None);
        let other = subject("Acme", Some("987654321"), None, None);
        assert!(likeness(&one, &other).score < TOLD);
    }
}
