//! The rules of the architecture, read from the manifests and the sources.
//!
//! To add a rule: write a function from what it reads to a list of faults, a test that plants a fault, and a test that runs it over the
//! repository. To add a crate: give it its place in [`ORDER`].

mod source;

use std::path::PathBuf;

use cargo_metadata::{DependencyKind, MetadataCommand};

use source::{Source, has_word, rust_files};

/// The order of knowing: a crate may use what stands before it.
const ORDER: &[&str] = &[
    "kernel",
    "store",
    "migration",
    "mail",
    "auth",
    "platform",
    "files",
    "backup",
    "clients",
    "sales",
    "projects",
    "tickets",
    "billing",
    "documents",
    "messaging",
    "insight",
    "legacy",
    "api",
    "pelatis",
];

/// Stands beside the order, and may use all of it.
const TESTS: &str = "tests";
/// The load command stands beside the crates, as the tests do.
const LOAD: &str = "load";

/// What chooses between the engines.
const DIALECT_WORDS: &[&str] = &[
    "Dialect::Sqlite",
    "Dialect::Postgres",
    "DbBackend",
    "DatabaseBackend",
    "is_sqlite",
    "is_postgres",
    "SqliteQueryBuilder",
    "PostgresQueryBuilder",
];

/// Where the engines may be told apart, and why.
const DIALECT_PLACES: &[(&str, &str)] = &[
    ("crates/store/src/dialect/", "this is what it is for"),
    ("crates/store/src/pool.rs", "opens the one or the other"),
    ("crates/pelatis/src/config/", "says that an owner is given for PostgreSQL alone; nothing is done differently"),
    ("tests/load/", "measures each engine against handlers of its own"),
    ("crates/store/src/conn.rs", "hands a statement to the driver of the one or the other"),
    ("crates/store/src/snapshot/", "copies a whole database in the way of the one or the other"),
    (
        "crates/store/src/journal/append.rs",
        "appends in one statement on PostgreSQL, where a round trip costs; SQLite has no such statement",
    ),
];

const LINES_OF_A_FILE: usize = 500;

struct Package {
    name: String,
    dependencies: Vec<(String, DependencyKind)>,
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

/// Who may use the migrations but for unit tests, which need tables: the program, and what brings back a schema of before.
const MIGRATE: &[&str] = &["backup", "pelatis"];

/// Faults in the order of crates.
fn uphill(packages: &[Package]) -> Vec<String> {
    let ours = |name: &str| name == TESTS || packages.iter().any(|package| package.name == name);
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| package.name != TESTS && package.name != LOAD) {
        let Some(own) = place(&package.name) else {
            faults.push(format!("{} has no place in the order", package.name));
            continue;
        };
        for (dependency, kind) in package.dependencies.iter().filter(|(dependency, _)| ours(dependency)) {
            let migrates = dependency == "migration";
            let allowed = if migrates {
                *kind == DependencyKind::Development || MIGRATE.contains(&package.name.as_str())
            } else {
                place(dependency).is_some_and(|other| other < own)
            };
            if !allowed {
                faults.push(format!("{} must not use {dependency}", package.name));
            }
        }
    }
    faults
}

/// Branches on the engine outside of the places for it. In `store` the unit tests may have them.
fn dialect_branches(sources: &[Source], places: &[(&str, &str)]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !places.iter().any(|(place, _)| source.path.starts_with(place)))
        .flat_map(|source| {
            if source.path.starts_with("crates/store/") {
                if source.is_test() { Vec::new() } else { source.find_outside_tests(DIALECT_WORDS).collect() }
            } else {
                source.find(DIALECT_WORDS).collect::<Vec<_>>()
            }
        })
        .collect()
}

/// SQL, or what makes it, in the HTTP layer.
fn sql_in_api(packages: &[Package], sources: &[Source]) -> Vec<String> {
    const CRATES: &[&str] = &["sqlx", "sea-orm", "sea-query", "sea-query-sqlx", "sea-orm-migration"];
    const WORDS: &[&str] = &["sqlx", "sea_orm", "sea_query", "sea_query_sqlx", "store::query"];
    const STATEMENTS: &[&str] = &["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"];
    let mut faults = dependencies_on(packages, &["api"], |dependency| CRATES.contains(&dependency));
    for source in sources.iter().filter(|source| source.path.starts_with("crates/api/src/")) {
        faults.extend(source.find(WORDS));
        faults.extend(source.code.split("use store::").skip(1).filter_map(|import| {
            let import = import.split(';').next().unwrap_or_default();
            has_word(import, "query").then(|| format!("{}: use of store::query", source.path))
        }));
        for (line, literal) in &source.literals {
            let statements = STATEMENTS.iter().filter(|statement| literal.contains(**statement));
            faults.extend(statements.map(|statement| format!("{}:{line}: {statement}", source.path)));
        }
    }
    faults
}

/// Knowledge of HTTP below the HTTP layer.
fn http_in_domains(packages: &[Package], sources: &[Source]) -> Vec<String> {
    let domains: Vec<&str> = ORDER.iter().copied().take_while(|name| *name != "api").collect();
    let mut faults = dependencies_on(packages, &domains, |dependency| {
        dependency.starts_with("actix") || ["http", "hyper", "reqwest", "axum", "tower-http"].contains(&dependency)
    });
    for source in sources {
        let mut folders = source.path.split('/');
        let domain = match (folders.next(), folders.next()) {
            (Some("crates"), Some(name)) => domains.contains(&name),
            _ => false,
        };
        if domain && source.text.contains("actix") {
            faults.push(format!("{}: actix", source.path));
        }
    }
    faults
}

fn dependencies_on(packages: &[Package], of: &[&str], refused: impl Fn(&str) -> bool) -> Vec<String> {
    packages
        .iter()
        .filter(|package| of.contains(&package.name.as_str()))
        .flat_map(|package| package.dependencies.iter().map(move |(dependency, _)| (&package.name, dependency)))
        .filter(|(_, dependency)| refused(dependency))
        .map(|(package, dependency)| format!("{package} must not use {dependency}"))
        .collect()
}

fn unsafe_code(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(|source| source.find(&["unsafe"])).collect()
}

fn long_files(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !source.is_test() && source.lines_without_tests() > LINES_OF_A_FILE)
        .map(|source| format!("{}: {} lines", source.path, source.lines_without_tests()))
        .collect()
}

/// Crates that do not open with what they are for.
fn without_opening(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.path.ends_with("/src/lib.rs") || source.path.ends_with("/src/main.rs"))
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path.clone())
        .collect()
}

fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

fn sources() -> Vec<Source> {
    let sources = rust_files(&root()).unwrap();
    assert!(sources.iter().any(|source| source.path == "crates/store/src/lib.rs"), "the sources are not where they were");
    sources
}

fn packages() -> Vec<Package> {
    // no_deps: the manifests of the workspace alone, so nothing is resolved or fetched
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let short = |name: &str| name.strip_prefix("pelatis-").unwrap_or(name).to_owned();
    let packages: Vec<Package> = metadata
        .packages
        .iter()
        .map(|package| Package {
            name: short(&package.name),
            dependencies: package.dependencies.iter().map(|dependency| (short(&dependency.name), dependency.kind)).collect(),
        })
        .collect();
    assert!(packages.iter().any(|package| package.name == "store"), "the packages are not called as they were");
    packages
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn crates_use_only_what_stands_before_them() {
    none(&uphill(&packages()));
}

#[test]
fn the_engines_are_told_apart_in_store_alone() {
    none(&dialect_branches(&sources(), DIALECT_PLACES));
}

#[test]
fn every_place_of_a_dialect_is_still_needed() {
    let sources = sources();
    for (place, reason) in DIALECT_PLACES {
        let mut there = sources.iter().filter(|source| source.path.starts_with(place));
        assert!(there.any(|source| source.find(DIALECT_WORDS).next().is_some()), "{place} ({reason}) tells nothing apart");
    }
}

#[test]
fn the_http_layer_has_no_sql() {
    none(&sql_in_api(&packages(), &sources()));
}

#[test]
fn domains_know_nothing_of_http() {
    none(&http_in_domains(&packages(), &sources()));
}

#[test]
fn nothing_is_unsafe() {
    none(&unsafe_code(&sources()));
}

#[test]
fn no_file_is_longer_than_it_can_be_read() {
    none(&long_files(&sources()));
}

#[test]
fn every_crate_opens_with_what_it_is_for() {
    none(&without_opening(&sources()));
}

mod planted;

/// `cargo run -- serve`, as the README has it, must not have to ask which program is meant.
#[test]
fn cargo_run_finds_the_one_program() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let packages = metadata.workspace_default_packages();
    let targets = packages.iter().flat_map(|package| &package.targets);
    let programs: Vec<&str> = targets.filter(|target| target.is_bin()).map(|target| target.name.as_str()).collect();
    assert_eq!(programs, ["pelatis"]);
}
