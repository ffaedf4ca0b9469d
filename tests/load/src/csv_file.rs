//! The file that is imported: clients with a contact each, with Greek and Latin names, the same in every run.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use crate::Result;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many clients
    #[arg(long, default_value_t = 100_000)]
    clients: u64,
    /// With values of the custom fields `seats` and `regime`, which nine of ten have
    #[arg(long)]
    custom_fields: bool,
    /// Where it goes
    file: PathBuf,
}

const HEADER: &str = "external_id,kind,name,legal_name,tax_number,website,email,phone,address,city,postal_code,country,sector,size,\
    roles,acquisition_stage,source,lead_category,contact_given_name,contact_family_name,contact_email,contact_phone,contact_position";

const TRADES: &[&str] = &[
    "Κατασκευαστική",
    "Εμπορική",
    "Ναυτιλιακή",
    "Φαρμακευτική",
    "Εκδόσεις",
    "Ξενοδοχεία",
    "Logistics",
    "Consulting",
    "Software",
    "Trading",
    "Foods",
    "Energy",
    "Τρόφιμα",
    "Ηλεκτρολογικά",
    "Maritime",
];
const FAMILIES: &[&str] = &[
    "Παπαδόπουλος",
    "Γεωργίου",
    "Οικονόμου",
    "Καραγιάννης",
    "Βλάχος",
    "Αγγελόπουλος",
    "Müller",
    "Smith",
    "García",
    "Rossi",
    "Dubois",
    "Nowak",
    "Jensen",
    "Ζαχαρίου",
    "Θεοδωρίδης",
    "Χατζής",
    "Ψαρρός",
    "O'Brien",
    "Lindström",
];
const GIVEN: &[&str] =
    &["Γιώργος", "Μαρία", "Ελένη", "Κώστας", "Ιωάννης", "Άννα", "Ξένια", "Anna", "John", "Chloé", "Jürgen", "Paolo", "Søren"];
const ENDINGS: &[&str] = &["Α.Ε.", "Ε.Π.Ε.", "& Σία Ο.Ε.", "Ltd", "GmbH", "S.A."];
const CITIES: &[(&str, &str)] = &[
    ("Αθήνα", "GR"),
    ("Θεσσαλονίκη", "GR"),
    ("Πάτρα", "GR"),
    ("Ηράκλειο", "GR"),
    ("Λευκωσία", "CY"),
    ("Berlin", "DE"),
    ("London", "GB"),
    ("Milano", "IT"),
];
const STREETS: &[&str] = &["Ερμού", "Σταδίου", "Λεωφόρος Κηφισίας", "Friedrichstraße", "High Street", "Via Roma"];
const SECTORS: &[&str] = &["construction", "shipping", "retail", "health", "energy", "software"];
const SIZES: &[&str] = &["1-10", "11-50", "51-250", "250+"];
const ROLES: &[&str] = &["customer", "prospect", "customer;partner", "vendor"];
const STAGES: &[&str] = &["lead", "qualified", "proposal", "negotiation", "closed_won"];
const SOURCES: &[&str] = &["website", "manual", "referral", "broker", "event", "other"];
const CATEGORIES: &[&str] = &["hot", "warm", "cold", "dormant"];
const REGIMES: &[&str] = &["normal", "normal", "reduced", "exempt"];
const POSITIONS: &[&str] = &["Διευθυντής", "Λογίστρια", "CEO", "Purchasing", "Υπεύθυνη πωλήσεων"];

/// Splitmix64: the same file in every run, without a dependency.
pub(crate) struct Draw(pub u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn of<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let place = self.below(choices.len() as u64);
        usize::try_from(place).ok().and_then(|place| choices.get(place)).copied().unwrap_or_default()
    }
}

/// Writes the file.
pub(crate) fn write(options: &Options) -> Result<()> {
    let mut file = BufWriter::new(File::create(&options.file)?);
    let (columns, mut of_custom) = if options.custom_fields { (",cf[seats],cf[regime]", Some(Draw(1453))) } else { ("", None) };
    writeln!(file, "{HEADER}{columns}")?;
    let mut draw = Draw(2026);
    for number in 1..=options.clients {
        let custom = of_custom.as_mut().map(values).unwrap_or_default();
        writeln!(file, "{}{custom}", line(number, &mut draw))?;
    }
    Ok(file.flush()?)
}

/// The cells of the custom fields.
fn values(draw: &mut Draw) -> String {
    if draw.below(10) == 0 {
        return ",,".to_owned();
    }
    format!(",{},{}", draw.below(100_000), draw.of(REGIMES))
}

fn line(number: u64, draw: &mut Draw) -> String {
    let (family, trade, ending) = (draw.of(FAMILIES), draw.of(TRADES), draw.of(ENDINGS));
    let (city, country) = draw.of(CITIES);
    let (given, contact_family) = (draw.of(GIVEN), draw.of(FAMILIES));
    let person = draw.below(10) == 0;
    let (kind, name) = if person {
        ("person", format!("{given} {family} {number}"))
    } else {
        ("company", format!("{family} {trade} {number} {ending}"))
    };
    let fields = [
        format!("C-{number}"),
        kind.to_owned(),
        name.clone(),
        if person { String::new() } else { format!("{name} ({country})") },
        format!("{:09}", 100_000_000 + number),
        format!("https://client{number}.example"),
        format!("info@client{number}.example"),
        format!("+30 210 {:07}", draw.below(10_000_000)),
        format!("{} {}", draw.of(STREETS), 1 + draw.below(200)),
        city.to_owned(),
        format!("{:05}", 10_000 + draw.below(80_000)),
        country.to_owned(),
        draw.of(SECTORS).to_owned(),
        draw.of(SIZES).to_owned(),
        draw.of(ROLES).to_owned(),
        draw.of(STAGES).to_owned(),
        draw.of(SOURCES).to_owned(),
        draw.of(CATEGORIES).to_owned(),
        given.to_owned(),
        contact_family.to_owned(),
        format!("contact{number}@client{number}.example"),
        format!("+30 69{:08}", draw.below(100_000_000)),
        draw.of(POSITIONS).to_owned(),
    ];
    fields.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_every_column_and_runs_agree() {
        let lines = || {
            let mut draw = Draw(2026);
            (1..=1000).map(|number| line(number, &mut draw)).collect::<Vec<_>>()
        };
        let columns = HEADER.split(',').count();
        for line in lines() {
            // no value has a comma or a quote, so none needs quoting
            assert_eq!(line.split(',').count(), columns, "{line}");
            assert!(!line.contains('"'), "{line}");
        }
        assert_eq!(lines(), lines());
    }
}
