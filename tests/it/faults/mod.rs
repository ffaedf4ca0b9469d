//! Faults: what was answered stands and was done once, whatever happens to the server, its database, its disk and its clock; and a load
//! that it cannot refuse stops nobody else.

mod clock_back;
mod cluster;
mod disk;
mod floods;
mod full_disk;
mod history;
mod killed;
mod line;
mod postgres_away;
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
