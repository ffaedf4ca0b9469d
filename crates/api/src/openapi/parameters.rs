//! Parameters, from the path, the method and the list that an operation answers with.

use actix_web::http::Method;
use platform::table::TableForm;
use serde_json::{Value, json};
use store::list::{FieldKind, ListSpec, OF_A_PAGE, Operator};

use crate::access::Access;
use crate::middleware::gate::is_api;
use crate::personal::PersonalForm;
use crate::registry::Served;

/// The parameters of an operation.
pub(super) fn of(served: &Served) -> Value {
    let mut parameters: Vec<Value> = path_names(&served.path)
        .map(|name| {
            let what = name.trim_end_matches("_id").replace('_', " ");
            json!({
                "name": name, "in": "path", "required": true, "description": format!("The id of the {what}."),
                "schema": { "type": "string", "format": "uuid" },
            })
        })
        .collect();
    if let Some(spec) = served.list {
        parameters.extend(of_list(spec));
    } else if let Some(spec) = served.record {
        parameters.extend(choosing(spec));
    } else if let Some(spec) = served.exported {
        parameters.extend(of_export(spec));
    }
    if served.is_content {
        parameters.extend(of_content(served));
    }
    if served.is_personal {
        let description = "The form; `json` unless given. `zip` is an archive with the contents of the files.";
        parameters.push(query("format", description, &words(PersonalForm::TEXTS)));
    }
    if is_api(&served.path) {
        parameters.extend(headers(served));
    }
    parameters.into()
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// A list of words, separated by commas.
fn several(words: &[&str]) -> Value {
    json!({ "type": "array", "items": { "type": "string", "enum": words } })
}

/// `a,b` in one parameter.
fn comma_separated(mut parameter: Value) -> Value {
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("style".to_owned(), "form".into());
        parameter.insert("explode".to_owned(), false.into());
    }
    parameter
}

fn choosing(spec: &ListSpec) -> Vec<Value> {
    let mut parameters = Vec::new();
    if !spec.includes.is_empty() {
        let include = query("include", "Related records to answer with, separated by commas.", &several(spec.includes));
        parameters.push(comma_separated(include));
    }
    if !spec.members.is_empty() {
        let fields =
            query("fields", "Members to answer with, separated by commas; all of them unless given.", &several(spec.members));
        parameters.push(comma_separated(fields));
    }
    parameters
}

fn of_list(spec: &'static ListSpec) -> Vec<Value> {
    let sorts: Vec<String> = spec.sorts().flat_map(|name| [name.to_owned(), format!("-{name}")]).collect();
    let sorts: Vec<&str> = sorts.iter().map(String::as_str).collect();
    let sort_description =
        format!("By what to sort, separated by commas, `-` for descending; `{}` unless given.", spec.default_sort.join(","));
    let mut parameters = vec![
        query("limit", "Records on a page.", &json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 25 })),
        query(
            "cursor",
            "Where to go on: `page.next_cursor` of the page before, with the same filter and sort.",
            &json!({ "type": "string" }),
        ),
        comma_separated(query("sort", &sort_description, &several(&sorts))),
        query("count", "`exact` adds how many there are in all, which costs.", &words(&["exact"])),
    ];
    if spec.searched {
        let description = "Full text, by the beginnings of words, without regard to case and accents.";
        parameters.push(query("q", description, &json!({ "type": "string", "maxLength": 200 })));
    }
    if spec.archived {
        parameters.push(query(
            "archived",
            "`true` adds archived records, `only` leaves all others out.",
            &words(&["true", "false", "only"]),
        ));
    }
    parameters.extend(choosing(spec));
    for field in spec.fields {
        let operators = Operator::names_for(field);
        for operator in operators {
            let (name, schema) = match operator {
                "eq" => (field.name.to_owned(), schema(field.kind)),
                "in" => (format!("{}[in]", field.name), json!({ "type": "string" })),
                "is_null" => (format!("{}[is_null]", field.name), schema(FieldKind::Boolean)),
                "like" => (format!("{}[like]", field.name), json!({ "type": "string" })),
                _ => (format!("{}[{operator}]", field.name), schema(field.kind)),
            };
            parameters.push(query(&name, describe(operator), &schema));
        }
    }
    for filter in spec.filters {
        parameters.push(query(filter.name, "Only records that this one belongs to.", &schema(filter.kind)));
    }
    parameters
}

/// The parameters of a list, but for those of its pages, and what table is made of it.
fn of_export(spec: &'static ListSpec) -> Vec<Value> {
    let columns =
        query("columns", "The columns, separated by commas, in this order; all of them unless given.", &several(spec.members));
    let mut parameters =
        vec![query("format", "The form of the table; `csv` unless given.", &words(TableForm::TEXTS)), comma_separated(columns)];
    let of_a_page = |parameter: &Value| OF_A_PAGE.iter().any(|name| parameter.get("name").is_some_and(|given| given == name));
    parameters.extend(of_list(spec).into_iter().filter(|parameter| !of_a_page(parameter)));
    parameters
}

fn describe(operator: &str) -> &'static str {
    match operator {
        "eq" => "Equal.",
        "ne" => "Not equal, or empty.",
        "in" => "One of these, separated by commas.",
        "gt" => "Greater.",
        "gte" => "Greater or equal.",
        "lt" => "Less.",
        "lte" => "Less or equal.",
        "like" => "Contains, without regard to case and accents; `%` stands for anything.",
        _ => "Whether it is empty.",
    }
}

fn schema(kind: FieldKind) -> Value {
    match kind {
        FieldKind::Text | FieldKind::Caseless => json!({ "type": "string" }),
        FieldKind::Uuid => json!({ "type": "string", "format": "uuid" }),
        FieldKind::Time => json!({ "type": "string", "format": "date-time" }),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::Integer => json!({ "type": "integer", "format": "int64" }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Word(list) => words(list),
    }
}

/// What can be asked of the content of a file; of a link, what it has in it.
fn of_content(served: &Served) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let mut parameters = Vec::new();
    if served.row.access == Access::Public {
        let required = |name: &str, schema: Value| json!({ "name": name, "in": "query", "required": true, "description": "As the link has it.", "schema": schema });
        parameters.push(required("workspace", json!({ "type": "string", "format": "uuid" })));
        parameters.push(required("expires", json!({ "type": "integer", "format": "int64" })));
        parameters.push(required("signature", text.clone()));
    }
    let description = "How a browser is to take it: it saves it, or shows images and PDF documents.";
    parameters.push(query("disposition", description, &words(files::Shown::TEXTS)));
    parameters.push(header("Range", "One range of bytes, such as `bytes=0-1023`.", &text));
    parameters.push(header("If-Range", "The ETag that the file must still have for a part of it to be of use.", &text));
    parameters
}

fn header(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema })
}

/// Whether an operation changes a record that is there.
pub(super) fn changes_a_record(served: &Served) -> bool {
    may_need_if_match(served) || ["/restore", "/purge", "/rotate", "/merge"].iter().any(|act| served.path.ends_with(act))
}

/// Whether an operation needs `If-Match` where the workspace requires it.
pub(super) fn may_need_if_match(served: &Served) -> bool {
    served.has_etag && (served.method == Method::PATCH || served.method == Method::DELETE)
}

fn headers(served: &Served) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let mut parameters = Vec::new();
    if !matches!(served.row.access, Access::Public | Access::SignedIn | Access::Member) {
        parameters.push(header("X-Workspace", "The slug or id of the workspace; one's own unless given.", &text));
    }
    if served.method == Method::POST {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" });
        parameters.push(header(
            "Idempotency-Key",
            "Sent again with the same body, the answer is the same and nothing is done twice.",
            &schema,
        ));
    }
    if changes_a_record(served) {
        parameters.push(header("If-Match", "The ETag that the record must still have; some workspaces require it.", &text));
    }
    if served.method == Method::GET && served.exported.is_none() {
        parameters.push(header("If-None-Match", "The ETag that one has already.", &text));
    }
    parameters
}
