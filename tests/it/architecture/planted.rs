//! Each rule finds the fault that is planted here, and leaves what is right alone.

use super::*;

const NORMAL: DependencyKind = DependencyKind::Normal;

fn package(name: &str, dependencies: &[(&str, DependencyKind)]) -> Package {
    Package {
        name: name.to_owned(),
        dependencies: dependencies.iter().map(|(dependency, kind)| ((*dependency).to_owned(), *kind)).collect(),
    }
}

/// The packages that exist, besides those planted.
fn with_all(planted: Vec<Package>) -> Vec<Package> {
    let others: Vec<Package> = ORDER
        .iter()
        .filter(|name| !planted.iter().any(|package| package.name == **name))
        .map(|name| package(name, &[]))
        .collect();
    planted.into_iter().chain(others).collect()
}

#[test]
fn a_crate_that_uses_what_stands_after_it_is_found() {
    let faults = uphill(&with_all(vec![
        package("store", &[("kernel", NORMAL), ("clients", NORMAL), ("sqlx", NORMAL)]),
        package("auth", &[("tests", DependencyKind::Development), ("api", DependencyKind::Build)]),
    ]));
    assert_eq!(faults, ["store must not use clients", "auth must not use tests", "auth must not use api"]);
}

#[test]
fn only_the_binary_and_tests_migrate() {
    let faults = uphill(&with_all(vec![
        package("pelatis", &[("migration", NORMAL)]),
        package("tests", &[("migration", NORMAL)]),
        package("migration", &[("kernel", NORMAL), ("store", NORMAL)]),
        package("store", &[("migration", DependencyKind::Development)]),
        package("clients", &[("migration", NORMAL)]),
        package("api", &[("migration", NORMAL), ("migration", DependencyKind::Build)]),
    ]));
    assert_eq!(faults, ["clients must not use migration", "api must not use migration", "api must not use migration"]);
}

#[test]
fn a_crate_without_a_place_is_found() {
    assert_eq!(uphill(&[package("surprise", &[])]), ["surprise has no place in the order"]);
}

#[test]
fn a_branch_on_the_engine_is_found() {
    let branch = "fn f(dialect: Dialect) -> bool {\n    dialect == Dialect::Postgres\n}\n";
    let tested = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    const D: Dialect = Dialect::Sqlite;\n}\n";
    let sources = [
        Source::new("crates/store/src/dialect/ddl.rs", branch),
        Source::new("crates/store/src/list/page.rs", branch),
        Source::new("crates/store/src/list/query.rs", tested),
        Source::new("crates/store/src/journal/tests.rs", branch),
        Source::new("crates/clients/src/list.rs", tested),
        Source::new("migration/src/lib.rs", "fn f() { let s = q.to_string(SqliteQueryBuilder); }\n"),
        Source::new("tests/src/lib.rs", branch),
        Source::new("crates/auth/src/lib.rs", "// Dialect::Sqlite has no roles\nconst A: &str = \"Dialect::Sqlite\";\n"),
    ];
    assert_eq!(
        dialect_branches(&sources, DIALECT_PLACES),
        [
            "crates/store/src/list/page.rs:2: Dialect::Postgres",
            "crates/clients/src/list.rs:5: Dialect::Sqlite",
            "migration/src/lib.rs:1: SqliteQueryBuilder",
            "tests/src/lib.rs:2: Dialect::Postgres",
        ]
    );
}

#[test]
fn sql_in_the_http_layer_is_found() {
    let sources = [
        Source::new("crates/api/src/a.rs", "use store::{Reader, query::{Expr, Query}};\nuse store::Store;\n"),
        Source::new("crates/api/src/b.rs", "use store::query::Expr;\n"),
        Source::new(
            "crates/api/src/c.rs",
            "\nconst Q: &str = \"SELECT 1\";\nfn f() { sqlx::query(r#\"DELETE FROM client\"#); }\n",
        ),
        Source::new("crates/api/src/d.rs", "/// Not a SELECT of the database.\nfn update(query: web::Query<Page>) {}\n"),
        Source::new("crates/clients/src/e.rs", "use store::query::Expr;\n"),
    ];
    assert_eq!(
        sql_in_api(&[package("api", &[("store", NORMAL), ("sqlx", NORMAL), ("sea-orm", NORMAL)])], &sources),
        [
            "api must not use sqlx",
            "api must not use sea-orm",
            "crates/api/src/a.rs: use of store::query",
            "crates/api/src/b.rs:1: store::query",
            "crates/api/src/b.rs: use of store::query",
            "crates/api/src/c.rs:3: sqlx",
            "crates/api/src/c.rs:2: SELECT ",
            "crates/api/src/c.rs:3: DELETE FROM",
        ]
    );
}

#[test]
fn http_in_a_domain_is_found() {
    let packages = [
        package("clients", &[("actix-web", NORMAL)]),
        package("auth", &[("reqwest", DependencyKind::Development), ("jsonwebtoken", NORMAL)]),
        package("api", &[("actix-web", NORMAL)]),
    ];
    let sources = [
        Source::new("crates/kernel/src/error.rs", "impl actix_web::ResponseError for Error {}\n"),
        Source::new("crates/api/src/lib.rs", "use actix_web::web;\n"),
    ];
    assert_eq!(
        http_in_domains(&packages, &sources),
        ["clients must not use actix-web", "auth must not use reqwest", "crates/kernel/src/error.rs: actix"]
    );
}

#[test]
fn unsafe_code_is_found() {
    let sources = [
        Source::new("tests/src/lib.rs", "fn f() {\n    unsafe { g() }\n}\n"),
        Source::new("crates/api/src/lib.rs", "// unsafe\n#![forbid(unsafe_code)]\n"),
    ];
    assert_eq!(unsafe_code(&sources), ["tests/src/lib.rs:2: unsafe"]);
}

#[test]
fn a_file_too_long_is_found() {
    let long = "fn f() {}\n".repeat(LINES_OF_A_FILE + 1);
    let tested = format!("fn f() {{}}\n\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    let sources = [
        Source::new("crates/api/src/long.rs", &long),
        Source::new("crates/api/src/tested.rs", &tested),
        Source::new("crates/api/src/long/tests.rs", &long),
    ];
    assert_eq!(long_files(&sources), ["crates/api/src/long.rs: 501 lines"]);
}

#[test]
fn a_crate_without_an_opening_is_found() {
    let sources = [
        Source::new("crates/api/src/lib.rs", "//! HTTP.\n"),
        Source::new("crates/auth/src/lib.rs", "mod users;\n"),
        Source::new("crates/auth/src/users.rs", "fn f() {}\n"),
    ];
    assert_eq!(without_opening(&sources), ["crates/auth/src/lib.rs"]);
}
