//! Archives by themselves: whole, or known not to be.

use std::path::Path;

use ::backup::archive::{Identities, Recipients, verify};
use harness::TestApp;

/// What becomes of an entry, by its name and content; none where it is left out.
type Change<'a> = &'a dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>>;

/// An installation with a little of everything.
async fn furnished() -> TestApp {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Αφοί Παπά \\ \t \n κλπ").await;
    let on = [("rel_type", "client"), ("rel_id", client.as_str())];
    app.upload(&app.admin, &on, "a.txt", "Σταδίου 1".as_bytes()).await.expect(201);
    app.upload(&app.admin, &on, "b.csv", "name;city\nΠαπά;Αθήνα\n".repeat(9000).as_bytes()).await.expect(201);
    let other = app.second_workspace("other").await;
    app.client(&other, "Elsewhere").await;
    app
}

/// The faults are put in here. Seen to fail without the comparison of checksums: bytes changed inside of entries are not found then; and
/// where an archive is read no further than to its last entry: bytes changed after it are not found.
#[tokio::test]
async fn an_archive_that_was_changed_cut_or_put_together_is_refused() {
    let app = furnished().await;
    let path = super::archive_of(&app, |_| {}).await;
    let whole = std::fs::read(&path).unwrap();
    verify(&path, &Identities::default()).unwrap();
    let tried = app.folder.path().join("tried");
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&tried, bytes).unwrap();
        let error = verify(&tried, &Identities::default()).expect_err(what);
        assert_eq!(error.code().code, "backup_damaged", "{what}");
    };
    let plain = zstd::decode_all(&whole[..]).unwrap();
    // the end has the entries' end and the checksum of all, which nothing but reading on to it looks at
    for place in (1..40).map(|part| whole.len() * part / 40).chain(whole.len() - 40..whole.len()) {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        // compressed data has bits that mean nothing: where all that is in the archive is still the same, nothing is damaged
        if zstd::decode_all(&changed[..]).ok().as_ref() != Some(&plain) {
            refused(&changed, &format!("a bit at {place}"));
        }
        refused(&whole[..place], &format!("cut at {place}"));
    }
    refused(&[], "nothing");
    refused(b"a letter", "something else");

    // entries that are whole by themselves: one taken out, one changed, one more
    let again = |change: Change, more: Option<&str>| {
        let mut out = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        let mut add = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            out.append_data(&mut header, name, content).unwrap();
        };
        for entry in tar::Archive::new(&plain[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            if name == "SHA256SUMS"
                && let Some(more) = more
            {
                add(more, b"more");
            }
            if let Some(content) = change(&name, content) {
                add(&name, &content);
            }
        }
        out.into_inner().unwrap().finish().unwrap()
    };
    std::fs::write(&tried, again(&|_, content| Some(content), None)).unwrap();
    verify(&tried, &Identities::default()).unwrap();
    refused(&again(&|name, content| (!name.starts_with("files/")).then_some(content), None), "a file is missing");
    refused(&again(&|name, content| (name != "manifest.json").then_some(content), None), "the manifest is missing");
    refused(&again(&|name, content| (name != "SHA256SUMS").then_some(content), None), "the checksums are missing");
    let changed = |name: &str, mut content: Vec<u8>| {
        if name.starts_with("database/") {
            content[0] ^= 1;
        }
        Some(content)
    };
    refused(&again(&changed, None), "a row was changed");
    refused(&again(&|_, content| Some(content), Some("files/local/more")), "a file more");
    let newer = |name: &str, content: Vec<u8>| {
        let text = String::from_utf8_lossy(&content).replace("\"format\": 1", "\"format\": 2").into_bytes();
        Some(if name == "manifest.json" { text } else { content })
    };
    refused(&again(&newer, None), "another format");
}

#[tokio::test]
async fn an_archive_for_somebody_is_opened_by_them_alone() {
    let app = furnished().await;
    let (own, strange) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let recipients = Recipients::parse(&[own.to_public().to_string()]).unwrap();
    let path = super::archive_of(&app, |config| config.recipients = recipients).await;
    let text = std::fs::read(&path).unwrap();
    assert!(text.starts_with(b"age-encryption.org/v1"));
    let key = |identity: &age::x25519::Identity| {
        use age::secrecy::ExposeSecret as _;
        Identities::parse(&format!("# a key\n{}\n", identity.to_string().expose_secret())).unwrap()
    };
    let manifest = verify(&path, &key(&own)).unwrap();
    assert_eq!(manifest.files, 2);
    for keys in [Identities::default(), key(&strange)] {
        assert_eq!(verify(&path, &keys).unwrap_err().code().code, "backup_damaged");
    }
}

/// What the tools of these names make of it.
#[tokio::test]
async fn an_archive_can_be_opened_without_this_program() {
    let app = furnished().await;
    let path = super::archive_of(&app, |_| {}).await;
    let folder = app.folder.path().join("opened");
    std::fs::create_dir(&folder).unwrap();
    let plain = folder.join("plain.tar");
    std::fs::write(&plain, zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap()).unwrap();
    let run = |words: &[&str]| {
        let done = std::process::Command::new(words[0]).args(&words[1..]).current_dir(&folder).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run(&["tar", "-xf", "plain.tar"]);
    run(&["sha256sum", "--check", "--quiet", "SHA256SUMS"]);
    let kept = app.db.rows("SELECT storage_key FROM file ORDER BY filename_key").await;
    let text = std::fs::read_to_string(Path::new(&folder).join("files/local").join(&kept[0])).unwrap();
    assert_eq!(text, "Σταδίου 1");
}

#[tokio::test]
async fn files_that_are_damaged_or_gone_are_told_and_those_that_were_purged_are_not_missed() {
    let app = furnished().await;
    let keys = app.db.rows("SELECT storage_key FROM file ORDER BY filename_key").await;
    let files = app.folder.path().join("files");
    std::fs::write(files.join(&keys[0]), "Σταδίου 2").unwrap();
    std::fs::remove_file(files.join(&keys[1])).unwrap();
    let path = super::archive_of(&app, |_| {}).await;
    let manifest = verify(&path, &Identities::default()).unwrap();
    assert_eq!(manifest.files, 0);
    let mut told: Vec<(String, String)> = manifest.damaged.iter().map(|one| (one.key.clone(), one.problem.clone())).collect();
    told.sort();
    let mut expected = vec![
        (keys[0].clone(), "it is not what was uploaded".to_owned()),
        (keys[1].clone(), "it is gone from its storage".to_owned()),
    ];
    expected.sort();
    assert_eq!(told, expected);
    let without = super::archive_of(&app, |config| config.with_files = false).await;
    let manifest = verify(&without, &Identities::default()).unwrap();
    assert_eq!((manifest.has_files, manifest.files, manifest.damaged.len()), (false, 0, 0));
}
