//! Kinds of file, as a workspace says which it takes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

store::text_enum! {
    /// A kind of file.
    pub enum FileKind {
        /// JPEG images.
        Jpeg = "jpeg",
        /// PNG images.
        Png = "png",
        /// GIF images.
        Gif = "gif",
        /// WebP images.
        Webp = "webp",
        /// PDF documents.
        Pdf = "pdf",
        /// Word documents, without macros.
        Word = "word",
        /// Excel workbooks, without macros.
        Excel = "excel",
        /// Plain text.
        Text = "text",
        /// CSV tables.
        Csv = "csv",
        /// ZIP archives.
        Zip = "zip",
    }
}

impl FileKind {
    const ALL: [Self; 10] =
        [Self::Jpeg, Self::Png, Self::Gif, Self::Webp, Self::Pdf, Self::Word, Self::Excel, Self::Text, Self::Csv, Self::Zip];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of kinds of file; a list on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKinds(u16);

impl Default for FileKinds {
    /// All but archives, which can hold anything.
    fn default() -> Self {
        FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Zip).collect()
    }
}

impl FileKinds {
    /// Whether a kind is in it.
    pub fn contains(self, kind: FileKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Those in it that are pictures.
    #[must_use]
    pub fn pictures(self) -> Self {
        self.iter().filter(|kind| matches!(kind, FileKind::Jpeg | FileKind::Png | FileKind::Gif | FileKind::Webp)).collect()
    }

    /// The kinds in it.
    pub fn iter(self) -> impl Iterator<Item = FileKind> {
        FileKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<FileKind> for FileKinds {
    fn from_iter<I: IntoIterator<Item = FileKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | kind.bit()))
    }
}

impl Serialize for FileKinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for FileKinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<FileKind>::deserialize(deserializer).map(|kinds| kinds.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_takes_all_but_archives_until_it_says_otherwise() {
        let kinds = FileKinds::default();
        assert!(kinds.contains(FileKind::Pdf) && !kinds.contains(FileKind::Zip));
        let list = serde_json::to_string(&kinds).unwrap();
        assert_eq!(list, r#"["jpeg","png","gif","webp","pdf","word","excel","text","csv"]"#);
        assert_eq!(serde_json::from_str::<FileKinds>(&list).unwrap(), kinds);
        assert_eq!(FileKind::ALL.len(), FileKind::TEXTS.len());
    }
}
