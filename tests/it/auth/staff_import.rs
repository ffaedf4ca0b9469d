//! Staff who come from a file, brought by an account.

use harness::Database;
use serde_json::json;
use tempfile::TempDir;

use crate::faults::program::Program;

#[tokio::test]
async fn whoever_manages_users_brings_new_accounts_by_a_file_and_nobody_else_does() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let program = Program::on(&db, &[]).await;
    let import = |name: &str, by: &str| {
        let rows = format!("email;given_name;family_name;role\n{name}@example.com;{name};Papa;viewer\n");
        std::fs::write(program.folder().join("staff.csv"), rows).unwrap();
        program.run(&["import", "staff", "staff.csv", "--as", by])
    };
    let (well, said) = import("nikos", "admin@example.com");
    assert!(well && said.contains("1 created"), "{said}");
    let there = |name: &str| format!("user_account WHERE email_key = '{name}@example.com' AND is_active");
    assert_eq!(db.count(&there("nikos")).await, 1);
    let members = program.get("/v1/memberships?include=user").await.expect(200).body;
    let of_nikos = members["data"].as_array().unwrap().iter().find(|one| one["user"]["given_name"] == "nikos");
    assert_eq!(of_nikos.map(|one| one["role"].clone()), Some(json!("viewer")), "{members}");
    // a viewer brings nobody
    let (well, said) = import("eleni", "nikos@example.com");
    assert!(!well && said.contains("admin.manage_users"), "{said}");
    assert_eq!(db.count(&there("eleni")).await, 0);
}
