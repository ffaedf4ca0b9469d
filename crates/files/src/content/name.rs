//! Names of files, as their senders give them.

use super::{Declared, FileType, Refusal};

/// Characters of a name at most.
const LONGEST: usize = 255;

/// What a name may show: no path, nothing that cannot be seen, nothing that turns the direction of reading round so that `gpj.exe` looks
/// like an image.
pub fn clean(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let invisible = |letter: &char| {
        letter.is_control()
            || matches!(*letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{061C}')
    };
    let kept: String = last.chars().filter(|letter| !invisible(letter)).collect();
    let kept = kept.trim().trim_end_matches('.').trim();
    if kept.chars().count() <= LONGEST {
        return kept.to_owned();
    }
    // the ending tells what it is, so it stays
    match ending(kept) {
        Some(end) => {
            let room = LONGEST.saturating_sub(end.len() + 1);
            let stem: String = kept.chars().take(room).collect();
            format!("{}.{end}", stem.trim_end())
        }
        None => kept.chars().take(LONGEST).collect(),
    }
}

/// The ending of a name: one to five letters and digits after the last point, with a letter among them. `v1.2` has none.
pub(super) fn ending(name: &str) -> Option<&str> {
    let (stem, end) = name.rsplit_once('.')?;
    let fits = (1..=5).contains(&end.len())
        && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && end.bytes().any(|byte| byte.is_ascii_alphabetic());
    (fits && !stem.is_empty()).then_some(end)
}

/// Declared types that say nothing.
const SILENT: [&str; 3] = ["application/octet-stream", "binary/octet-stream", "application/force-download"];

/// Compares what a file is with what its sender says.
pub(super) fn compare(found: FileType, declared: &Declared) -> Result<(), Refusal> {
    if let Some(end) = declared.filename.as_deref().and_then(ending)
        && !found.may_end_in(&end.to_ascii_lowercase())
    {
        return Err(Refusal::Mismatch(format!("The name ends in .{end}, the content is {}.", found.words())));
    }
    if let Some(mime) = &declared.mime_type
        && !SILENT.contains(&mime.as_str())
        && !found.may_be_declared(mime)
    {
        return Err(Refusal::Mismatch(format!("Another type is declared; the content is {}.", found.words())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_paths_and_what_cannot_be_seen() {
        assert_eq!(clean("C:\\Users\\me\\Σύμβαση.pdf"), "Σύμβαση.pdf");
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("photo\u{202E}gpj.exe"), "photogpj.exe");
        assert_eq!(clean("a\r\nb\0.txt "), "ab.txt");
        assert_eq!(clean(" . "), "");
        let long = clean(&format!("{}.pdf", "α".repeat(400)));
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with(".pdf"));
    }

    #[test]
    fn a_version_is_no_ending() {
        assert_eq!(ending("a.PDF"), Some("PDF"));
        for name in ["Offer v1.2", "none", ".htaccess", "Σύμβαση.Παπάς", "a."] {
            assert_eq!(ending(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_declared_must_fit() {
        let declared = |name: &str, mime: &str| Declared {
            filename: Some(name.to_owned()).filter(|name| !name.is_empty()),
            mime_type: Some(mime.to_owned()).filter(|mime| !mime.is_empty()),
        };
        for (name, mime) in
            [("a.pdf", "application/pdf"), ("a", ""), ("", "application/octet-stream"), ("v1.2", "application/pdf")]
        {
            assert!(compare(FileType::Pdf, &declared(name, mime)).is_ok(), "{name} {mime}");
        }
        for (name, mime) in [("a.png", ""), ("a.pdf", "image/png"), ("a.pdf.exe", "application/pdf")] {
            assert!(compare(FileType::Pdf, &declared(name, mime)).is_err(), "{name} {mime}");
        }
        assert!(compare(FileType::Csv, &declared("a.csv", "application/vnd.ms-excel")).is_ok());
    }
}
