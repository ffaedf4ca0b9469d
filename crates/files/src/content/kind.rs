//! The types of file that there are here.

use auth::workspaces::{FileKind, FileKinds};

/// A type of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    Jpeg,
    Png,
    Gif,
    Webp,
    Pdf,
    Doc,
    Docx,
    Xls,
    Xlsx,
    Text,
    Csv,
    Zip,
}

/// What is known of a type.
struct Known {
    kind: FileKind,
    mime: &'static str,
    /// Names that senders give it besides.
    aliases: &'static [&'static str],
    /// The endings of its names, the usual one first.
    endings: &'static [&'static str],
    words: &'static str,
}

impl FileType {
    const ALL: [Self; 12] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Pdf,
        Self::Doc,
        Self::Docx,
        Self::Xls,
        Self::Xlsx,
        Self::Text,
        Self::Csv,
        Self::Zip,
    ];

    fn known(self) -> Known {
        let known = |kind, mime, aliases, endings, words| Known { kind, mime, aliases, endings, words };
        match self {
            Self::Jpeg => known(
                FileKind::Jpeg,
                "image/jpeg",
                &["image/jpg", "image/pjpeg"],
                &["jpg", "jpeg", "jpe", "jfif"],
                "a JPEG image",
            ),
            Self::Png => known(FileKind::Png, "image/png", &["image/x-png"], &["png"], "a PNG image"),
            Self::Gif => known(FileKind::Gif, "image/gif", &[], &["gif"], "a GIF image"),
            Self::Webp => known(FileKind::Webp, "image/webp", &[], &["webp"], "a WebP image"),
            Self::Pdf => known(FileKind::Pdf, "application/pdf", &["application/x-pdf"], &["pdf"], "a PDF document"),
            Self::Doc => known(FileKind::Word, "application/msword", &[], &["doc", "dot"], "a Word document"),
            Self::Docx => known(
                FileKind::Word,
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                // what is told only by its content arrives as what it is made of
                &["application/zip", "application/msword"],
                &["docx"],
                "a Word document",
            ),
            Self::Xls => known(FileKind::Excel, "application/vnd.ms-excel", &[], &["xls", "xlt"], "an Excel workbook"),
            Self::Xlsx => known(
                FileKind::Excel,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                &["application/zip", "application/vnd.ms-excel"],
                &["xlsx"],
                "an Excel workbook",
            ),
            Self::Text => known(FileKind::Text, "text/plain", &["text/markdown"], &["txt", "text", "log", "md"], "plain text"),
            Self::Csv => known(
                FileKind::Csv,
                "text/csv",
                // browsers on machines with Excel say so
                &["text/plain", "application/csv", "application/vnd.ms-excel", "text/tab-separated-values"],
                &["csv", "tsv"],
                "a CSV table",
            ),
            Self::Zip => known(FileKind::Zip, "application/zip", &["application/x-zip-compressed"], &["zip"], "a ZIP archive"),
        }
    }

    pub fn kind(self) -> FileKind {
        self.known().kind
    }

    pub fn mime(self) -> &'static str {
        self.known().mime
    }

    /// The ending of its names in the keys of objects.
    pub fn ending(self) -> &'static str {
        self.known().endings.first().copied().unwrap_or("bin")
    }

    pub fn words(self) -> &'static str {
        self.known().words
    }

    pub fn may_end_in(self, ending: &str) -> bool {
        self.known().endings.contains(&ending)
    }

    pub fn may_be_declared(self, mime: &str) -> bool {
        let known = self.known();
        mime == known.mime || known.aliases.contains(&mime)
    }

    /// The type of a media type that we gave.
    pub fn of_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|found| found.mime() == mime)
    }

    /// The type of an ending that [`ending`](Self::ending) gave.
    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|found| found.ending() == ending)
    }

    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Gif | Self::Webp)
    }

    /// Whether a browser may show it in its own window.
    pub fn may_be_shown(self) -> bool {
        self.is_image() || self == Self::Pdf
    }
}

/// What a workspace takes, for people.
pub(super) fn words_of(allowed: FileKinds) -> String {
    let words: Vec<&str> = allowed.iter().map(FileKind::as_str).collect();
    if words.is_empty() { "no files at all".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_again_by_its_media_type() {
        for known in FileType::ALL {
            assert_eq!(FileType::of_mime(known.mime()), Some(known));
            assert!(known.may_end_in(known.ending()));
            assert_eq!(FileType::of_ending(known.ending()), Some(known));
        }
        assert_eq!(FileType::of_mime("text/html"), None);
    }
}
