//! A small disk that can be filled: a file system of 48 MB in memory, which only the processes under test see and which goes with them.
//! What they log goes there too. Where the machine lets nobody mount, files of the process may not grow instead, which is refused in the same place of the code.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The disk, or what stands in for it.
pub struct Disk {
    at: PathBuf,
    mounted: bool,
}

const MOUNT: &str = "mount -t tmpfs -o size=48m,mode=755 pelatis-small-disk \"$0\" && exec \"$@\" 2>>\"$0/log\"";
// a signal that is ignored makes the write fail
const LIMIT: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

impl Disk {
    /// A disk that will be at this folder.
    pub fn at(folder: &Path) -> Self {
        let mut disk = Self { at: folder.to_owned(), mounted: true };
        let words = disk.around();
        let tried = Command::new(&words[0]).args(&words[1..]).arg("true").stderr(Stdio::null()).status();
        disk.mounted = tried.is_ok_and(|status| status.success());
        if !disk.mounted {
            println!("left out: a disk that is full, as nobody may mount one here; files that may not grow stand in for it");
        }
        disk
    }

    /// Whether there is a disk, so that others than the process itself can be put on it.
    pub fn is_mounted(&self) -> bool {
        self.mounted
    }

    /// The words before those of a command that is to see the disk.
    pub fn around(&self) -> Vec<String> {
        let words: &[&str] = if self.mounted {
            // who is not root is so in a name space of its own
            &["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, self.at.to_str().unwrap()]
        } else {
            &["sh", "-c", LIMIT]
        };
        words.iter().filter(|word| **word != "--map-root-user" || !is_root()).map(|word| (*word).to_owned()).collect()
    }

    /// Where the disk is for those who do not see it, by a process that does.
    pub fn seen_from(&self, pid: u32) -> PathBuf {
        if !self.mounted {
            return self.at.clone();
        }
        Path::new(&format!("/proc/{pid}/root")).join(self.at.strip_prefix("/").unwrap())
    }

    /// Fills it to the last byte.
    pub fn fill(&self, pid: u32) {
        if !self.mounted {
            return limit(pid, "1");
        }
        let mut filler = std::fs::File::create(self.seen_from(pid).join("filler")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn make_room(&self, pid: u32) {
        if self.mounted {
            std::fs::remove_file(self.seen_from(pid).join("filler")).unwrap();
        } else {
            limit(pid, "unlimited");
        }
    }

    /// Copies files off it as a power cut would leave them: the process stands still meanwhile.
    pub fn copy(&self, pid: u32, names: &[&str], to: &Path) {
        signal(pid, "STOP");
        for name in names {
            std::fs::copy(self.seen_from(pid).join(name), to.join(name)).unwrap();
        }
        signal(pid, "CONT");
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap().success());
}

fn limit(pid: u32, bytes: &str) {
    let limited = Command::new("prlimit").args([format!("--pid={pid}"), format!("--fsize={bytes}:unlimited")]).status().unwrap();
    assert!(limited.success());
}
