//! Text as search and sorting see it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds text for comparison without regard to case and accents, in Greek and Latin: NFD without marks, lower case, final
/// sigma as sigma.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        for lower in letter.to_lowercase() {
            match lower {
                'ς' => folded.push('σ'),
                'ß' => folded.push_str("ss"),
                _ if is_combining_mark(lower) => {}
                _ => folded.push(lower),
            }
        }
    }
    folded
}

/// The words of a text, folded: runs of letters and digits. This is what is indexed, and what a search is cut into.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// One line of distinct words, separated by single blanks: the content of a `search_text` column.
pub fn search_text<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut seen = std::collections::HashSet::new();
    let mut line = String::new();
    for word in parts.into_iter().flat_map(words) {
        if !seen.contains(&word) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
            seen.insert(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greek_and_latin_fold_without_case_accents_and_final_sigma() {
        assert_eq!(fold("ΓΙΏΡΓΟΣ"), fold("Γιώργος"));
        assert_eq!(fold("Τιμολόγιο"), "τιμολογιο");
        assert_eq!(fold("Ϊΰ"), "ιυ");
        assert_eq!(fold("Crème BRÛLÉE"), "creme brulee");
        assert_eq!(fold("İstanbul"), "istanbul");
        assert_eq!(fold("Straße"), fold("STRASSE"));
    }

    #[test]
    fn a_search_text_holds_each_word_once() {
        assert_eq!(search_text(["Αφοί Παπά & Σία", "info@papa.gr papa"]), "αφοι παπα σια info papa gr");
    }
}
