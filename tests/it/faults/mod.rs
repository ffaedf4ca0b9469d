//! Faults: what was answered stands and was done once, whatever happens to the server, its database, its disk and its clock; and a load
//! that it cannot refuse stops nobody else.
//!
//! Tests that kill do so twenty times, and as often as `PELATIS_KILLS` says where it is set:
//! `PELATIS_KILLS=100 cargo nextest run -p pelatis-tests killed`.

mod clock_back;
mod cluster;
mod disk;
mod floods;
mod full_disk;
mod full_disk_of_files;
mod history;
mod killed;
mod killed_mails;
mod killed_uploads;
mod line;
mod other_storages;
mod postgres_away;
mod postgres_stalled;
pub(crate) mod program;
mod shared_records;
mod slow_clients;
mod workers;

use harness::{Database, Engine};
use serde_json::{Value, json};

/// Numbers that look drawn and are the same in each run (SplitMix64, Steele and others 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }
}

/// How often a test kills.
fn kills() -> usize {
    std::env::var("PELATIS_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(20)
}

/// Kills a process after a while.
fn kill_after(pid: u32, delay: std::time::Duration) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(delay);
        assert!(std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    })
}

fn company(name: &str) -> Value {
    json!({ "kind": "company", "name": name })
}

/// What a database keeps of the names that each stand in one client: every client once, with one entry of its making.
async fn expect_each_once(db: &Database, mut names: Vec<String>) {
    names.sort();
    let mut kept = db.rows("SELECT name FROM client").await;
    kept.sort();
    assert_eq!(kept, names);
    let entries = db.count("journal_entry WHERE record_type = 'client' AND action = 'create'").await;
    let of_a_client = "journal_entry e JOIN client c ON c.id = e.record_id WHERE e.action = 'create'";
    assert_eq!((entries, db.count(of_a_client).await), (kept.len() as i64, kept.len() as i64));
}

/// Fails the test where SQLite finds its file damaged.
async fn expect_sound(db: &Database) {
    if db.engine == Engine::Sqlite {
        assert_eq!(db.rows("PRAGMA integrity_check").await, ["ok"]);
    }
}
