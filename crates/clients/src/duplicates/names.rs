//! Names as they are compared: in Latin letters, without what says only in which form of company one does business, and with the spellings of
//! one sound as one.

use std::collections::HashSet;
use std::sync::LazyLock;

use any_ascii::any_ascii;
use kernel::text;

/// What stands in names and names nobody: forms of companies, in Greek and in the languages around, and words that join.
const SAYS_NOTHING: &str = "αε οε εε επε ικε αβεε ατε αεε αβε σια μικε μεπε μαε ανωνυμη ανωνυμος εταιρεια εταιρια περιορισμενης ευθυνης \
     ομορρυθμη ετερορρυθμη μονοπροσωπη ιδιωτικη κεφαλαιουχικη ο η το οι και \
     sa ae epe oe ee ike mike abee inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg ohg ug ev srl spa sarl sas \
     sasu sca bv nv vof oy oyj ab as asa aps kft zrt doo dd ood eood ad sro and und et the of der die das la le les de di";

static NOTHING: LazyLock<HashSet<String>> = LazyLock::new(|| SAYS_NOTHING.split_whitespace().map(in_latin).collect());

/// Spellings of one sound, each as the one on the right: digraphs of Greek names as ISO 843 writes them, as others write them, and as they are
/// heard.
const SOUNDS: [(&str, &str); 13] = [
    ("oy", "u"),
    ("ou", "u"),
    ("ph", "f"),
    ("ch", "h"),
    ("kh", "h"),
    ("ck", "k"),
    ("ks", "x"),
    ("mp", "b"),
    ("nt", "d"),
    ("gk", "g"),
    ("ey", "ev"),
    ("ay", "av"),
    ("y", "i"),
];

/// Letters of a name that are compared. Names are shorter, and longer ones differ before.
const COMPARED: usize = 60;
/// Letters of a word that its key is made of.
const OF_A_WORD: usize = 4;
/// Letters that the name as a whole needs, so that their order need not matter.
const OF_A_BAG: usize = 5;

/// A folded word in lower-case Latin letters.
fn in_latin(word: &str) -> String {
    let mut latin = any_ascii(word).to_ascii_lowercase();
    latin.retain(|letter| letter.is_ascii_alphanumeric());
    for (written, heard) in SOUNDS {
        if latin.contains(written) {
            latin = latin.replace(written, heard);
        }
    }
    latin
}

/// A name as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Its words, as they come.
    words: Vec<String>,
    /// The words that have digits, which no likeness of the others makes up for: shop 12 is not shop 13.
    numbers: String,
    /// All of it, as it comes and with its words sorted.
    spellings: [Vec<char>; 2],
}

impl Name {
    pub fn of(name: &str) -> Option<Self> {
        let mut words: Vec<String> = Vec::new();
        let mut initials = String::new();
        for word in text::words(name) {
            // "Α.Ε." is the word "ΑΕ"
            if word.chars().count() == 1 && !word.chars().all(|letter| letter.is_ascii_digit()) {
                initials.push_str(&word);
                continue;
            }
            if !initials.is_empty() {
                words.push(in_latin(&std::mem::take(&mut initials)));
            }
            words.push(in_latin(&word));
        }
        if !initials.is_empty() {
            words.push(in_latin(&initials));
        }
        words.retain(|word| !word.is_empty());
        if words.iter().any(|word| !NOTHING.contains(word)) {
            words.retain(|word| !NOTHING.contains(word));
        }
        if words.is_empty() {
            return None;
        }
        let mut sorted = words.clone();
        sorted.sort_unstable();
        let numbers =
            sorted.iter().filter(|word| word.bytes().any(|byte| byte.is_ascii_digit())).cloned().collect::<Vec<_>>().join(" ");
        let spelling = |words: &[String]| words.iter().flat_map(|word| word.chars()).take(COMPARED).collect();
        let spellings = [spelling(&words), spelling(&sorted)];
        Some(Self { words, numbers, spellings })
    }

    /// How like another it is, from 0 to 100: 100 where it is the same.
    pub fn likeness(&self, other: &Self) -> i64 {
        if self.numbers != other.numbers {
            return 0;
        }
        let pairs = self.spellings.iter().zip(&other.spellings);
        pairs.map(|(one, other)| likeness(one, other)).max().unwrap_or(0)
    }

    /// The key of the whole name: the same for names of which letters of one sound differ, doubled ones, vowels, or the order.
    pub fn key(&self) -> String {
        let skeletons: Vec<String> = self.words.iter().map(|word| skeleton(word)).collect();
        let mut letters: Vec<char> = skeletons.iter().flat_map(|word| word.chars()).collect();
        if letters.len() < OF_A_BAG {
            return format!("{} {}", self.spellings[1].iter().collect::<String>(), self.numbers);
        }
        letters.sort_unstable();
        format!("{} {}", letters.into_iter().collect::<String>(), self.numbers)
    }

    /// The keys of its longest words, two and two, as far as `most` words: names share one where one word of three is another. A single word
    /// stands for itself: with another beside it it makes another name.
    pub fn pair_keys(&self, most: usize) -> Vec<String> {
        let mut words: Vec<&String> = self.words.iter().filter(|word| word.len() > 2).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut begins: Vec<String> = Vec::new();
        for word in words {
            let begin: String = skeleton(word).chars().take(OF_A_WORD).collect();
            if !begins.contains(&begin) {
                begins.push(begin);
            }
        }
        begins.truncate(most);
        begins.sort_unstable();
        if let [alone] = begins.as_slice() {
            return vec![format!("{alone} {}", self.numbers)];
        }
        let mut keys = Vec::new();
        for (place, one) in begins.iter().enumerate() {
            keys.extend(begins.iter().skip(place + 1).map(|other| format!("{one} {other} {}", self.numbers)));
        }
        keys
    }
}

/// By how many letters two texts differ, of a hundred.
fn likeness(one: &[char], other: &[char]) -> i64 {
    let longest = one.len().max(other.len());
    if longest == 0 {
        return 0;
    }
    let (one, other): (String, String) = (one.iter().collect(), other.iter().collect());
    let same = longest.saturating_sub(strsim::osa_distance(&one, &other));
    i64::try_from(same * 100 / longest).unwrap_or(0)
}

/// The consonants of a word, letters of one sound as one and doubled ones once, behind its first letter. Vowels are what spellings differ by.
fn skeleton(word: &str) -> String {
    let mut skeleton = String::new();
    for (place, letter) in word.chars().enumerate() {
        let heard = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' if place == 0 => 'a',
            'a' | 'e' | 'i' | 'o' | 'u' => continue,
            'h' if place > 0 => continue,
            'c' | 'q' => 'k',
            'z' => 's',
            'v' | 'w' => 'f',
            other => other,
        };
        if !skeleton.ends_with(heard) {
            skeleton.push(heard);
        }
    }
    skeleton
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        Name::of(text).unwrap()
    }

    #[test]
    fn what_names_the_form_of_a_company_names_nobody_and_a_name_of_nothing_else_stays() {
        for (one, other) in [
            ("Παπαδόπουλος Α.Ε.", "ΠΑΠΑΔΟΠΟΥΛΟΣ ΑΕ"),
            ("Παπαδόπουλος Ανώνυμη Εταιρεία", "Papadopoulos S.A."),
            ("The Acme Company Ltd.", "ACME"),
            ("Βασιλείου & Σία Ο.Ε.", "Vasileiou"),
            ("Müller GmbH & Co. KG", "Mueller und Co".replace("ue", "u").as_str()),
        ] {
            assert_eq!(name(one).likeness(&name(other)), 100, "{one} and {other}");
            assert_eq!(name(one).key(), name(other).key(), "{one} and {other}");
        }
        assert_eq!(name("ΙΚΕ").likeness(&name("Ικέ")), 100);
        assert!(Name::of(" . & ").is_none());
    }

    #[test]
    fn spellings_of_one_sound_have_one_key_and_differ_little() {
        for (one, other) in [
            ("Χατζής Κωνσταντίνος", "Konstantinos Chatzis"),
            ("Γκίκας", "Gikas"),
            ("Ελληνική Κατασκευαστική", "Eliniki Kataskevastiki"),
            ("Papadopoulos", "Papadopulos"),
            ("Hellenic Steel", "Helenic Stele"),
        ] {
            assert_eq!(name(one).key(), name(other).key(), "{one} and {other}");
            assert!(name(one).likeness(&name(other)) >= 80, "{one} and {other}");
        }
        assert!(name("Acme Industries").likeness(&name("Borealis Shipping")) < 40);
    }

    #[test]
    fn a_number_in_a_name_makes_another_name() {
        let (one, other) = (name("Shop 12 Athens"), name("Shop 13 Athens"));
        assert_eq!(one.likeness(&other), 0);
        assert_ne!(one.key(), other.key());
        assert_eq!(one.likeness(&name("Athens Shop 12")), 100);
        assert_eq!((one.pair_keys(3).len(), other.pair_keys(3).len()), (1, 1));
        assert_ne!(one.pair_keys(3), other.pair_keys(3));
    }

    proptest! {
        #[test]
        fn likeness_is_the_same_both_ways_and_whole_with_itself(one in "\\PC{0,40}", other in "\\PC{0,40}") {
            let (Some(one), Some(other)) = (Name::of(&one), Name::of(&other)) else { return Ok(()) };
            prop_assert_eq!(one.likeness(&one), 100);
            prop_assert_eq!(one.likeness(&other), other.likeness(&one));
            prop_assert!((0..=100).contains(&one.likeness(&other)));
        }

        #[test]
        fn the_order_of_words_and_their_case_make_no_other_key(words in proptest::collection::vec("[a-zα-ω]{2,9}", 1..5)) {
            let forth = words.join(" ");
            let back = words.iter().rev().map(|word| word.to_uppercase()).collect::<Vec<_>>().join("  ");
            if let (Some(forth), Some(back)) = (Name::of(&forth), Name::of(&back)) {
                prop_assert_eq!(forth.key(), back.key());
                prop_assert_eq!(forth.likeness(&back), 100);
            }
        }
    }
}
