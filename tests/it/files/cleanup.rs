//! What a crash leaves over is cleaned up, and nothing else is.

use std::fs;

use chrono::Duration;
use files::cleanup::{Cleaned, clean_up};
use files::{Files, FilesConfig};
use harness::TestApp;

use super::samples::pdf;
use super::upload::lying_in;

#[tokio::test]
async fn what_is_older_than_a_day_and_belongs_to_no_file_goes_and_what_lies_just_inside_stays() {
    let mut config: Option<FilesConfig> = None;
    let app = TestApp::spawn_with(|given| config = Some(given.files.clone())).await;
    let files = Files::open(app.store().await, config.unwrap(), api::ATTACHABLES).unwrap();
    let id = app.upload(&app.admin, &[], "a.pdf", &pdf(1000)).await.expect(201).id();
    let (root, spool) = (app.folder.path().join("files"), app.folder.path().join("spool"));
    let stranger = "0193a000-0000-7000-8000-000000000000";
    for stray in
        [format!("{}/clients/x/stray.pdf", app.workspace), format!("{stranger}/clients/x/theirs.pdf"), "loose.pdf".to_owned()]
    {
        fs::create_dir_all(root.join(&stray).parent().unwrap()).unwrap();
        fs::write(root.join(&stray), b"stray").unwrap();
    }
    fs::write(spool.join("left.part"), b"left").unwrap();
    fs::write(spool.join("other.txt"), b"not ours").unwrap();

    app.clock.advance(Duration::hours(23));
    assert_eq!(clean_up(&files).await.unwrap(), Cleaned::default());
    app.clock.advance(Duration::hours(2));
    assert_eq!(clean_up(&files).await.unwrap(), Cleaned { spooled: 1, orphans: 1 });
    assert_eq!(clean_up(&files).await.unwrap(), Cleaned::default());

    let lying = lying_in(&root);
    assert_eq!(lying.len(), 3, "{lying:?}");
    assert!(!lying.iter().any(|name| name.ends_with("stray.pdf")));
    assert_eq!(lying_in(&spool).len(), 1);
    let again = app.sign_in("admin@example.com").await;
    app.get(&format!("/v1/files/{id}/content"), &again).await.expect(200);
}
