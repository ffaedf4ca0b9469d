use kernel::error::Faults;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::set::merge;
use super::sorted::Compared;
use super::*;

fn shape(key: &str, field_type: FieldType) -> FieldShape {
    let option = |key: &str| FieldOption { key: key.to_owned(), label: key.to_uppercase() };
    let options = if field_type.has_options() { vec![option("normal"), option("reduced"), option("exempt")] } else { Vec::new() };
    FieldShape { key: key.to_owned(), field_type, required: false, default: None, options, archived: false }
}

fn read(field_type: FieldType, json: &Value) -> Result<FieldValue, kernel::FieldError> {
    FieldValue::read(&shape("it", field_type), json, "/custom_fields/it")
}

fn told(faults: Faults) -> Vec<(String, String)> {
    let Err(error) = faults.into_result() else { return Vec::new() };
    error.fields().iter().map(|fault| (fault.pointer.to_string(), fault.code.to_string())).collect()
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[test]
fn every_type_takes_what_it_means_and_writes_it_in_one_form() {
    use FieldType as T;
    for (field_type, sent, kept) in [
        (T::Text, json!("  Γιώργος \n"), json!("Γιώργος")),
        (T::Number, json!(12), json!(12)),
        (T::Number, json!(12.0), json!(12)),
        (T::Number, json!(-0.0001), json!(-0.0001)),
        (T::Number, json!(99_999_999_999.999_9), json!(99_999_999_999.999_9)),
        (T::Money, json!({"amount": "7", "currency": "EUR"}), json!({"amount": "7.00", "currency": "EUR"})),
        (T::Date, json!("2024-02-29"), json!("2024-02-29")),
        (T::Boolean, json!(false), json!(false)),
        (T::Select, json!("reduced"), json!("reduced")),
        (T::MultiSelect, json!(["exempt", "normal"]), json!(["normal", "exempt"])),
        (T::Url, json!("https://example.org/A?b=1"), json!("https://example.org/A?b=1")),
        (T::Email, json!("Info@Example.org"), json!("Info@Example.org")),
        (T::Datetime, json!("2026-03-31T12:00:00.1234567+02:00"), json!("2026-03-31T10:00:00.123456Z")),
        (T::Reference, json!("018F0000-0000-7000-8000-000000000001"), json!("018f0000-0000-7000-8000-000000000001")),
    ] {
        let value = read(field_type, &sent).unwrap();
        assert_eq!(value.json(), kept, "{field_type:?} {sent}");
        assert_eq!(read(field_type, &kept).unwrap(), value, "{field_type:?} {kept}");
    }
}

#[test]
fn every_type_refuses_what_it_does_not_mean_by_code() {
    use FieldType as T;
    for (field_type, sent, code) in [
        (T::Text, json!(" \u{a0}"), "blank"),
        (T::Text, json!(1), "invalid_type"),
        (T::Text, json!("α".repeat(2001)), "length"),
        (T::Text, json!("a\0b"), "invalid_character"),
        (T::Number, json!("12"), "invalid_type"),
        (T::Number, json!(0.000_01), "invalid_number"),
        (T::Number, json!(100_000_000_000_i64), "invalid_number"),
        (T::Number, json!(1e300), "invalid_number"),
        (T::Number, json!(u64::MAX), "invalid_number"),
        (T::Money, json!({"amount": "1.001", "currency": "EUR"}), "invalid_amount"),
        (T::Money, json!({"amount": "1", "currency": "XXQ"}), "invalid_amount"),
        (T::Money, json!(5), "invalid_amount"),
        (T::Date, json!("2026-02-29"), "invalid_date"),
        (T::Date, json!("2026-2-9"), "invalid_date"),
        (T::Date, json!("2026-02-09T00:00:00Z"), "invalid_date"),
        (T::Date, json!("0000-01-01"), "invalid_date"),
        (T::Boolean, json!("true"), "invalid_type"),
        (T::Select, json!("none"), "unknown_option"),
        (T::Select, json!("Reduced"), "unknown_option"),
        (T::Select, json!(["reduced"]), "invalid_type"),
        (T::MultiSelect, json!("reduced"), "invalid_type"),
        (T::MultiSelect, json!([]), "empty"),
        (T::Url, json!("javascript:alert(1)"), "invalid_url"),
        (T::Url, json!("https://"), "invalid_url"),
        (T::Email, json!("nobody"), "email"),
        (T::Email, json!(format!("{}@example.org", "a".repeat(250))), "email"),
        (T::Datetime, json!("2026-03-31T12:00:00"), "invalid_datetime"),
        (T::Datetime, json!("2026-03-31"), "invalid_datetime"),
        (T::Reference, json!("7"), "invalid_id"),
    ] {
        let fault = read(field_type, &sent).unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.pointer.as_ref()), (code, "/custom_fields/it"), "{field_type:?} {sent}");
    }
}

#[test]
fn an_option_that_is_wrong_is_pointed_at_in_its_list() {
    for (sent, code, pointer) in [
        (json!(["normal", "none"]), "unknown_option", "/custom_fields/it/1"),
        (json!(["normal", "exempt", "normal"]), "duplicate", "/custom_fields/it/2"),
        (json!([7]), "invalid_type", "/custom_fields/it/0"),
    ] {
        let fault = read(FieldType::MultiSelect, &sent).unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.pointer.as_ref()), (code, pointer));
    }
}

#[test]
fn a_definition_is_told_everything_that_is_wrong_with_it() {
    let mut faults = Faults::new();
    let option = |key: &str, label: &str| FieldOption { key: key.to_owned(), label: label.to_owned() };
    let mut wrong = shape("VAT regime", FieldType::Select);
    wrong.options = vec![option("a", "A"), option("a", " "), option("1", "one")];
    wrong.default = Some(json!("b"));
    wrong.check(&mut faults);
    let of = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        told(faults),
        [
            of("/key", "invalid_key"),
            of("/options/1/key", "duplicate"),
            of("/options/1/label", "blank"),
            of("/options/2/key", "invalid_key"),
            of("/default", "unknown_option"),
        ]
    );
    for (field_type, options, code) in
        [(FieldType::Select, vec![], "required"), (FieldType::Text, vec![option("a", "A")], "not_allowed")]
    {
        let mut faults = Faults::new();
        FieldShape { options, ..shape("it", field_type) }.check(&mut faults);
        assert_eq!(told(faults), [of("/options", code)]);
    }
    let mut faults = Faults::new();
    shape("vat_regime", FieldType::MultiSelect).check(&mut faults);
    assert!(faults.is_empty());
}

#[test]
fn a_new_record_gets_defaults_and_is_told_all_that_it_lacks() {
    let shapes = [
        FieldShape { default: Some(json!("normal")), required: true, ..shape("vat_regime", FieldType::Select) },
        FieldShape { required: true, ..shape("since", FieldType::Date) },
        FieldShape { required: true, archived: true, ..shape("old", FieldType::Text) },
        shape("seats", FieldType::Number),
    ];
    let make = |change: Value| {
        let mut faults = Faults::new();
        let shapes: Vec<&FieldShape> = shapes.iter().collect();
        let after = merge(&shapes, &Map::new(), &object(change), Occasion::Create, "/custom_fields", &mut faults);
        (Value::Object(after), told(faults))
    };
    let (after, faults) = make(json!({"since": "2026-01-01"}));
    assert_eq!((after, faults), (json!({"since": "2026-01-01", "vat_regime": "normal"}), Vec::new()));
    let (_, faults) = make(json!({"seats": "many", "a/b~c": 1, "vat_regime": null, "old": "x"}));
    let expected = [
        ("/custom_fields/seats", "invalid_type"),
        ("/custom_fields/a~1b~0c", "unknown_field"),
        ("/custom_fields/vat_regime", "required"),
        ("/custom_fields/old", "archived"),
        ("/custom_fields/since", "required"),
    ];
    assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
}

#[test]
fn what_is_imported_gets_defaults_and_may_lack_what_is_required() {
    let shapes = [
        FieldShape { default: Some(json!(5)), ..shape("seats", FieldType::Number) },
        FieldShape { required: true, ..shape("since", FieldType::Date) },
    ];
    let (shapes, mut faults): (Vec<&FieldShape>, _) = (shapes.iter().collect(), Faults::new());
    let after = merge(&shapes, &Map::new(), &Map::new(), Occasion::Import, "/custom_fields", &mut faults);
    assert_eq!((Value::Object(after), told(faults)), (json!({"seats": 5}), Vec::new()));
}

#[test]
fn a_change_keeps_what_it_does_not_name_and_takes_away_what_is_null() {
    let shapes = [
        shape("seats", FieldType::Number),
        FieldShape { archived: true, ..shape("old", FieldType::Text) },
        FieldShape { required: true, default: Some(json!("x")), ..shape("since_required", FieldType::Text) },
    ];
    let before = object(json!({"seats": 5, "old": "there"}));
    let change = |change: Value| {
        let mut faults = Faults::new();
        let shapes: Vec<&FieldShape> = shapes.iter().collect();
        let after = merge(&shapes, &before, &object(change), Occasion::Change, "/custom_fields", &mut faults);
        (Value::Object(after), told(faults).len())
    };
    assert_eq!(change(json!({})), (json!({"seats": 5, "old": "there"}), 0));
    assert_eq!(change(json!({"seats": null, "old": "there"})), (json!({"old": "there"}), 0));
    assert_eq!(change(json!({"seats": 6.50, "old": null})), (json!({"seats": 6.5}), 0));
    assert_eq!(change(json!({"old": "another"})).1, 1);
    assert_eq!(change(json!({"since_required": null})).1, 1);
}

fn key(field_type: FieldType, json: &Value) -> Compared {
    Compared::of(&read(field_type, json).unwrap()).pop().unwrap()
}

#[test]
fn keys_see_neither_case_nor_accents_and_have_their_bounds() {
    assert_eq!(key(FieldType::Text, &json!("ΓΙΏΡΓΟΣ")), key(FieldType::Text, &json!("Γιώργος")));
    assert_eq!(key(FieldType::Email, &json!("A@Example.org")), key(FieldType::Email, &json!("a@example.ORG")));
    let long = |last: &str| key(FieldType::Text, &json!(format!("a{}{last}", "β".repeat(1990))));
    assert_eq!(long("γ").key.text.len(), 359 + 32, "cut between two letters, with a digest behind it");
    assert_ne!(long("γ").key, long("δ").key, "two texts that begin alike are two");
    assert_eq!(long("Γ").key, long("γ").key);
    assert!(long("γ").whole_text.unwrap().ends_with('γ'));
    let many = Compared::of(&read(FieldType::MultiSelect, &json!(["normal", "exempt"])).unwrap());
    assert_eq!(many.len(), 2);
}

fn number() -> impl Strategy<Value = Number> {
    (-999_999_999_999_999_i64..=999_999_999_999_999).prop_map(|units| Number::of_units(units).unwrap())
}

fn day() -> impl Strategy<Value = chrono::NaiveDate> {
    (1_i32..=3_652_059).prop_map(|day| chrono::NaiveDate::from_num_days_from_ce_opt(day).unwrap())
}

fn moment() -> impl Strategy<Value = kernel::DateTime> {
    (-62_135_596_800_000_000_i64..253_402_300_800_000_000).prop_map(|at| chrono::DateTime::from_timestamp_micros(at).unwrap())
}

proptest! {
    #[test]
    fn every_number_survives_the_wire_exactly(number in number()) {
        let text = serde_json::to_string(&FieldValue::Number(number).json()).unwrap();
        let again: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read(FieldType::Number, &again).unwrap(), FieldValue::Number(number));
        prop_assert_eq!(text, number.to_string());
    }

    #[test]
    fn every_moment_and_day_survives_the_wire_exactly(at in moment(), day in day()) {
        prop_assert_eq!(read(FieldType::Datetime, &FieldValue::Datetime(at).json()).unwrap(), FieldValue::Datetime(at));
        prop_assert_eq!(read(FieldType::Date, &FieldValue::Date(day).json()).unwrap(), FieldValue::Date(day));
    }

    #[test]
    fn keys_have_the_order_of_the_values(
        numbers in (number(), number()),
        days in (day(), day()),
        moments in (moment(), moment()),
        texts in ("[!-~α-ώ][ -~α-ώ]{1,40}x", "[!-~α-ώ][ -~α-ώ]{1,40}x"),
        minors in (any::<i32>(), any::<i32>()),
    ) {
        let key = |value: FieldValue| Compared::of(&value).pop().unwrap().key;
        let order = |a: FieldValue, b: FieldValue| key(a).cmp(&key(b));
        prop_assert_eq!(order(FieldValue::Number(numbers.0), FieldValue::Number(numbers.1)), numbers.0.cmp(&numbers.1));
        prop_assert_eq!(order(FieldValue::Date(days.0), FieldValue::Date(days.1)), days.0.cmp(&days.1));
        prop_assert_eq!(order(FieldValue::Datetime(moments.0), FieldValue::Datetime(moments.1)), moments.0.cmp(&moments.1));
        let folded = kernel::text::fold(&texts.0).cmp(&kernel::text::fold(&texts.1));
        prop_assert_eq!(order(FieldValue::Text(texts.0), FieldValue::Text(texts.1)), folded);
        let euros = |minor: i32| FieldValue::Money(kernel::Money::new(minor.into(), "EUR".parse().unwrap()));
        prop_assert_eq!(order(euros(minors.0), euros(minors.1)), minors.0.cmp(&minors.1));
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic(text in ".*", number in any::<f64>(), at in any::<prop::sample::Index>()) {
        let all = FieldType::TEXTS.iter().map(|text| text.parse::<FieldType>().unwrap()).collect::<Vec<_>>();
        for json in [json!(text), json!(number), json!([text]), json!({"amount": text, "currency": "EUR"})] {
            if let Ok(value) = read(*at.get(&all), &json) {
                prop_assert_eq!(read(*at.get(&all), &value.json()).unwrap(), value);
            }
        }
    }
}

#[test]
fn cells_are_read_as_people_write_them_and_one_that_is_empty_is_no_value() {
    use FieldType as T;
    let cell = |field_type, cell: &str| FieldValue::read_cell(&shape("it", field_type), cell, "/custom_fields/it");
    for (field_type, written, meant) in [
        (T::Number, "-12.50", json!(-12.5)),
        (T::Money, "1234.5  EUR", json!({"amount": "1234.50", "currency": "EUR"})),
        (T::Boolean, "Yes", json!(true)),
        (T::Boolean, "0", json!(false)),
        (T::Select, "Reduced", json!("reduced")),
        (T::MultiSelect, "EXEMPT; normal", json!(["normal", "exempt"])),
    ] {
        assert_eq!(cell(field_type, written).unwrap().unwrap().json(), meant, "{written}");
    }
    for (field_type, written, code) in [
        (T::Number, "a dozen", "invalid_type"),
        (T::Number, "1e3", "invalid_type"),
        (T::Money, "12", "invalid_amount"),
        (T::Boolean, "maybe", "invalid_type"),
        (T::Select, "none", "unknown_option"),
        (T::MultiSelect, "normal, Normal", "duplicate"),
        (T::Date, "31/3/2026", "invalid_date"),
    ] {
        assert_eq!(cell(field_type, written).unwrap_err().code, code, "{written}");
    }
    assert_eq!(cell(T::Text, " \t").unwrap(), None);
}

#[test]
fn what_is_exported_is_imported_as_the_same_value() {
    use FieldType as T;
    for (field_type, sent) in [
        (T::Text, json!("a, b; c")),
        (T::Number, json!(-7.0625)),
        (T::Money, json!({"amount": "-0.05", "currency": "EUR"})),
        (T::Date, json!("0101-12-31")),
        (T::Boolean, json!(false)),
        (T::Select, json!("exempt")),
        (T::MultiSelect, json!(["normal", "reduced", "exempt"])),
        (T::Url, json!("https://example.org/?a=1,2")),
        (T::Email, json!("info@example.org")),
        (T::Datetime, json!("2026-03-31T10:00:00.000001Z")),
        (T::Reference, json!("018f0000-0000-7000-8000-000000000001")),
    ] {
        let value = read(field_type, &sent).unwrap();
        let again = FieldValue::read_cell(&shape("it", field_type), &value.cell(), "/custom_fields/it").unwrap();
        assert_eq!(again, Some(value), "{sent}");
    }
}
