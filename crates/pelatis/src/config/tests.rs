use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, Command, FromArgMatches};

use super::keys::KEYS;
use super::setting::WebOrigin;
use super::source::{FileSource, Probe};
use super::*;

const DEPLOYED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/pelatis.toml");

fn sources(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
    let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let file = FileSource { name: "pelatis.toml".to_owned(), text: file.to_owned() };
    Sources { file: Some(file), env: owned(env), flags: owned(flags), probe: |_| Probe::Absent }
}

fn load(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Config {
    Config::load(&sources(file, env, flags)).unwrap().0
}

fn faults(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let faults = Config::load(&sources(file, env, flags)).unwrap_err();
    faults.0.into_iter().map(|fault| (fault.key, fault.origin, fault.message)).collect()
}

#[test]
fn nothing_at_all_is_a_configuration() {
    let (config, warnings) = Config::load(&Sources { probe: |_| Probe::Absent, ..Sources::default() }).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database_url.expose(), "sqlite:./data/pelatis.db");
    assert_eq!(config.secret_key_file, Path::new("./data/keys/secret.key"));
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!(config.frontend_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!((config.database_owner_url, config.redis_url, config.secret_key), (None, None, None));
    assert!(config.cors_origins.is_empty() && config.trusted_proxies.is_empty());
    assert_eq!((config.json_limit_bytes, config.rate_limit_per_minute, config.login_attempts), (1_048_576, 120, 5));
    assert!(config.log_format.is_json(false) && !config.log_format.is_json(true));
}

#[test]
fn flags_go_over_the_environment_over_the_file_over_defaults() {
    let file = "workers = 2\ninvitation_days = 3\nlog = 'warn'\ncors_origins = ['https://a.example', 'https://b.example']";
    let env = [("PELATIS_WORKERS", "4"), ("PELATIS_LOG", "debug"), ("PELATIS_CORS_ORIGINS", "https://c.example")];
    let config = load(file, &env, &[("workers", "8"), ("data-dir", "/srv/pelatis")]);
    assert_eq!((config.workers, config.invitation_days, config.refresh_token_days), (8, 3, 30));
    assert_eq!(config.log.as_str(), "debug");
    assert_eq!(config.cors_origins.iter().map(WebOrigin::as_str).collect::<Vec<_>>(), ["https://c.example"]);
    assert_eq!(config.database_url.expose(), "sqlite:/srv/pelatis/pelatis.db");
    assert_eq!(config.secret_key_file, Path::new("/srv/pelatis/keys/secret.key"));
}

#[test]
fn defaults_follow_from_other_keys() {
    let config = load("listen = '[::1]:9000'", &[("PELATIS_DATA_DIR", "/a%b?c/")], &[]);
    assert_eq!(config.frontend_url.as_str(), "http://[::1]:9000");
    assert_eq!(config.database_url.expose(), "sqlite:/a%25b%3Fc/pelatis.db");
    assert_eq!(config.secret_key_file, Path::new("/a%b?c/keys/secret.key"));
    let config = load("public_url = 'https://crm.example.com/api/'", &[], &[]);
    assert_eq!(config.frontend_url.as_str(), "https://crm.example.com/api");
}

#[test]
fn an_empty_environment_variable_is_as_if_it_was_not_set() {
    let config = load("workers = 3", &[("PELATIS_WORKERS", ""), ("REDIS_URL", " ")], &[]);
    assert_eq!((config.workers, config.redis_url), (3, None));
}

#[test]
fn every_fault_is_reported_at_once() {
    let file = "listen = 8080\nfrobnicate = 1\nworkers = '4'\ntrusted_proxies = ['10.0.0.0/8', 'ten']\n[server]\nport = 1";
    let env = [("PELATIS_DATABASE_CONNECTIONS", "0"), ("DATABASE_URL", "mysql://root@localhost/x")];
    let flags = [("json-limit-bytes", "52428801"), ("log-format", "xml"), ("frob", "1")];
    let found = faults(file, &env, &flags);
    let expected = [
        ("frobnicate", "pelatis.toml", "is not a key of the configuration"),
        ("server", "pelatis.toml", "is not a key of the configuration"),
        ("frob", "flag --frob", "cannot be given as a flag"),
        ("listen", "pelatis.toml", "must be an address and a port, such as 127.0.0.1:8080"),
        ("database_url", "environment DATABASE_URL", "must be sqlite:<path>, postgres://… or postgresql://…"),
        ("database_connections", "environment PELATIS_DATABASE_CONNECTIONS", "must be a whole number from 1 to 500"),
        (
            "trusted_proxies",
            "pelatis.toml",
            "must be a list, each entry a network such as 10.0.0.0/8, or an address; entry 2 is not",
        ),
        ("workers", "pelatis.toml", "must be a whole number from 0 to 1024"),
        ("json_limit_bytes", "flag --json-limit-bytes", "must be a whole number from 1024 to 52428800"),
        ("log_format", "flag --log-format", "must be json, text or auto"),
    ];
    let expected = expected.map(|(key, origin, message)| (key.to_owned(), origin.to_owned(), message.to_owned()));
    assert_eq!(found, expected);
    let shown = Config::load(&sources(file, &env, &flags)).unwrap_err().to_string();
    for (key, origin, message) in expected {
        assert!(shown.contains(&format!("\n  {key} ({origin}) {message}")), "{shown}");
    }
}

#[test]
fn a_value_of_a_wrong_type_in_the_file_is_a_fault() {
    for file in [
        "workers = 1.5",
        "workers = -1",
        "workers = true",
        "workers = 99999999999999999999999999",
        "workers = [1]",
        "worker = 1",
        "worker = 'true'",
        "cors_origins = 'https://a.example'",
        "cors_origins = [1]",
        "cors_origins = ['https://a.example/path']",
        "cors_origins = ['*']",
        "log = 1",
        "log = 'info,=='",
        "data_dir = ''",
        "redis_url = ''",
        "redis_prefix = 'a b'",
        "public_url = 'crm.example.com'",
        "public_url = 'https://'",
        "secret_key = 'abc'",
        "listen = 'localhost'",
        "listen = { host = 'x' }",
    ] {
        assert_eq!(faults(file, &[], &[]).len(), 1, "{file}");
    }
}

#[test]
fn a_renamed_key_works_with_a_warning() {
    let env = [("PELATIS_BIND", "0.0.0.0:3")];
    for (file, env, flags, origin) in [
        ("bind = '127.0.0.1:1'", &[][..], &[][..], "pelatis.toml"),
        ("", &[("PELATIS_BIND", "127.0.0.1:1")][..], &[][..], "environment PELATIS_BIND"),
        ("", &[][..], &[("bind", "127.0.0.1:1")][..], "flag --bind"),
    ] {
        let (config, warnings) = Config::load(&sources(file, env, flags)).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:1");
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].origin, origin);
        assert!(warnings[0].message.starts_with("has a new name"), "{}", warnings[0]);
    }
    let (config, warnings) = Config::load(&sources("bind = '1.1.1.1:1'\nlisten = '2.2.2.2:2'", &[], &[])).unwrap();
    assert_eq!(config.listen.to_string(), "2.2.2.2:2", "the new name goes before the old one in the same layer");
    assert_eq!(warnings.len(), 1);
    // a higher layer goes first under either name; and nobody can open 0.0.0.0
    let (config, warnings) = Config::load(&sources("listen = '2.2.2.2:2'", &env, &[])).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:3");
    assert_eq!(warnings.len(), 2);
    let found = faults("bind = 'nowhere'", &[], &[]);
    assert_eq!(found[0].1, "pelatis.toml, as bind");
}

#[test]
fn a_name_in_the_environment_that_does_nothing_is_a_warning() {
    let env = [("PELATIS_LISTNE", "x"), ("PELATIS_CONFIG", "x"), ("PELATIS_WORKERS", "1"), ("HOME", "/root")];
    let (_, warnings) = Config::load(&sources("", &env, &[])).unwrap();
    assert_eq!(warnings.iter().map(|warning| warning.key.as_str()).collect::<Vec<_>>(), ["PELATIS_LISTNE"]);
}

#[test]
fn keys_that_do_not_agree_are_faults_along_with_others() {
    let owner = [("DATABASE_OWNER_URL", "postgres://o:p@h/d"), ("PELATIS_WORKERS", "x")];
    let found = faults("", &owner, &[]);
    assert_eq!(found.iter().map(|(key, ..)| key.as_str()).collect::<Vec<_>>(), ["workers", "database_owner_url"]);
    load("database_url = 'postgresql://u:p@h/d'", &owner[..1], &[]);

    let key = format!("secret_key = '{}'", "0f".repeat(32));
    let both = format!("{key}\nsecret_key_file = '/k'");
    let with = |file: &str, probe: fn(&Path) -> Probe| Config::load(&Sources { probe, ..sources(file, &[], &[]) });
    assert_eq!(with(&both, |_| Probe::Absent).unwrap_err().0[0].key, "secret_key_file");
    assert_eq!(with(&both, |_| Probe::Unreadable).unwrap_err().0.len(), 1);
    assert_eq!(with(&both, |_| Probe::Readable).unwrap().0.secret_key.unwrap().expose(), &[0x0f; 32]);
    assert!(with(&key, |_| Probe::Unreadable).is_ok(), "the file is not named, so it does not matter");
    assert!(with("", |_| Probe::Unreadable).is_err());
    assert!(with("secret_key_file = '/k'", |_| Probe::Absent).is_ok(), "it will be made");
}

#[test]
fn a_file_that_cannot_be_read_is_told_from_one_that_is_absent() {
    let folder = std::env::temp_dir();
    let probe = Sources::default().probe;
    assert_eq!(probe(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))), Probe::Readable);
    assert_eq!(probe(&folder), Probe::Unreadable, "a folder is no file");
    assert_eq!(probe(&folder.join("pelatis-there-is-no-such-file")), Probe::Absent);
}

#[test]
fn secrets_are_never_shown() {
    let key = "5ec2e7".repeat(10) + "5ec2";
    let good = format!(
        "secret_key = '{key}'\nredis_url = 'redis://:hunter2@h'\ndatabase_url = 'postgres://u:hunter2@h/d'\n\
         database_owner_url = 'postgres://o:hunter2@h/d'"
    );
    let config = load(&good, &[], &[]);
    assert!(config.secret_key.is_some());
    let bad_flags = [("database-url", "hunter2"), ("redis-url", "hunter2"), ("secret-key", key.as_str())];
    let bad_env = [("PELATIS_SECRET_KEY", "5ec2e7-hunter2"), ("DATABASE_OWNER_URL", "hunter2"), ("PELATIS_LISTEN", "hunter2")];
    let mut shown = format!("{config:?}{config:#?}");
    let bad_files = [
        "secret_key = 'hunter2",
        "secret_key = \"\"\"hunter2",
        "secret_key = hunter2",
        "secret_key = 'a'\nsecret_key = 'hunter2'",
        "redis_url = 'x' 'hunter2'",
    ];
    for file in bad_files.into_iter().chain([""]) {
        let faults = Config::load(&sources(file, &bad_env, &bad_flags)).unwrap_err();
        assert!(faults.0.len() >= 5 + usize::from(!file.is_empty()), "{faults}");
        shown += &format!("{faults}{faults:?}");
    }
    assert!(shown.contains("is not TOML: TOML parse error at line 1, column"), "{shown}");
    let flags = Flags { values: [("redis_url".to_owned(), "hunter2".to_owned())].into(), ..Flags::default() };
    shown += &format!("{flags:?}");
    for secret in ["hunter2", "5ec2", "[94, 194"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn every_key_but_the_secret_one_is_a_flag() {
    let command = Flags::augment_args(Command::new("serve"));
    command.clone().debug_assert();
    let typed =
        ["serve", "--config", "/etc/p.toml", "--data-dir", "/d", "--bind", "1.2.3.4:5", "--trusted-proxies", "10.0.0.1,::1"];
    let flags = Flags::from_arg_matches(&command.clone().try_get_matches_from(typed).unwrap()).unwrap();
    assert_eq!(flags.config.as_deref(), Some(Path::new("/etc/p.toml")));
    let (config, warnings) = Config::load(&Sources { flags: flags.values, ..sources("", &[], &[]) }).unwrap();
    assert_eq!((config.listen.to_string().as_str(), warnings.len()), ("1.2.3.4:5", 1));
    assert_eq!(config.data_dir, Path::new("/d"));
    assert_eq!(config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1/32", "::1/128"]);
    assert!(command.try_get_matches_from(["serve", "--secret-key", "x"]).is_err());
    let without: Vec<_> = KEYS.iter().filter(|key| !key.has_flag).map(|key| key.name).collect();
    assert_eq!(without, ["secret_key"]);
}

#[test]
fn names_of_keys_are_regular_and_unique() {
    let others = [
        ("database_url", "DATABASE_URL"),
        ("database_owner_url", "DATABASE_OWNER_URL"),
        ("redis_url", "REDIS_URL"),
        ("storage_url", "STORAGE_URL"),
        ("smtp_url", "SMTP_URL"),
    ];
    let mut names = BTreeSet::new();
    for key in KEYS {
        let regular = format!("PELATIS_{}", key.name.to_uppercase());
        let other = others.iter().find(|(name, _)| *name == key.name).map(|(_, env)| *env);
        assert_eq!(key.env, other.unwrap_or(&regular));
        let all = [key.name, key.env].into_iter().chain(key.renamed_from.into_iter().flat_map(|(name, env)| [name, env]));
        for name in all {
            assert!(names.insert(name), "{name} is there twice");
        }
    }
}

#[test]
fn the_committed_file_is_what_the_table_makes() {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(DEPLOYED, commented_file()).unwrap();
    }
    let committed = std::fs::read_to_string(DEPLOYED).unwrap_or_default();
    assert!(
        committed == commented_file(),
        "deploy/pelatis.toml is not what the table of keys makes; rewrite it with: \
         UPDATE=1 cargo nextest run -p pelatis the_committed_file"
    );
}

#[test]
fn the_commented_file_without_its_marks_is_the_default_configuration() {
    let text = commented_file();
    let settings: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| line.starts_with(char::is_alphabetic)).collect();
    assert_eq!(settings.len(), KEYS.len());
    let has_default =
        |line: &&&str| KEYS.iter().any(|key| key.default.is_some() && line.starts_with(&format!("{} = ", key.name)));
    let defaults: Vec<&str> = settings.iter().filter(has_default).copied().collect();
    assert_eq!(format!("{:?}", load(&defaults.join("\n"), &[], &[])), format!("{:?}", load("", &[], &[])));
    let postgres = "database_url = 'postgres://u@h/d'\n";
    for example in KEYS.iter().filter_map(|key| key.example.map(|example| format!("{} = '{example}'", key.name))) {
        // what must stand beside smtp_url, but where it is the example itself
        let sender = if example.starts_with("mail_from") { "" } else { "mail_from = 'crm@example.com'\n" };
        let there = Sources { probe: |_| Probe::Readable, ..sources(&format!("{postgres}{sender}{example}"), &[], &[]) };
        Config::load(&there).unwrap();
    }
}

#[test]
fn storages_of_one_name_and_those_that_cannot_be_are_faults_and_their_secrets_are_not_told() {
    let twice = [("PELATIS_FURTHER_STORAGE_URLS", "s3://k:hidden@h/papers,file:/old?name=papers")];
    let found = faults("", &twice, &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "further_storage_urls");
    let wrong = [("STORAGE_URL", "s3://k:hidden@h"), ("PELATIS_CLAMD_URL", "clam"), ("PELATIS_UPLOAD_LIMIT_BYTES", "0")];
    let found = faults("", &wrong, &[]);
    let mut keys: Vec<&str> = found.iter().map(|(key, _, _)| key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["clamd_url", "storage_url", "upload_limit_bytes"]);
    assert!(!format!("{found:?}").contains("hidden"));
    let config = load("", &[("STORAGE_URL", "s3://k:hidden@h/papers")], &[]);
    assert!(!format!("{config:?}").contains("hidden"));
}

#[test]
fn what_is_wrong_with_mail_is_found_at_once_and_no_password_is_told() {
    let wrong = [("SMTP_URL", "smtp://me:hidden@mail.example.com"), ("PELATIS_SMTP_CA", "/nowhere.pem")];
    let found = faults("", &wrong, &[]);
    let keys: Vec<&str> = found.iter().map(|(key, _, _)| key.as_str()).collect();
    assert_eq!(keys, ["mail_from", "smtp_ca"], "{found:?}");
    let wrong = [
        ("SMTP_URL", "smtp://me:hidden@mail.example.com?tls=none"),
        ("PELATIS_MAIL_FROM", "nobody"),
        ("PELATIS_SMTP_TIMEOUT_SECONDS", "0"),
        ("PELATIS_MAILS_PER_HOUR", "0"),
    ];
    let found = faults("", &wrong, &[]);
    let mut keys: Vec<&str> = found.iter().map(|(key, _, _)| key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["mail_from", "mails_per_hour", "smtp_timeout_seconds", "smtp_url"]);
    assert!(!format!("{found:?}").contains("hidden"));
    let right = [("SMTP_URL", "smtps://me:hidden@mail.example.com"), ("PELATIS_MAIL_FROM", "crm@example.com")];
    assert!(!format!("{:?}", load("", &right, &[])).contains("hidden"));
}
