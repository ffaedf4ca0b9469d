//! Numbers with up to four decimals, held exactly.

use std::fmt;

use serde_json::Value;

/// How many of its units make one.
const SCALE: i64 = 10_000;
/// How many decimals it can have.
const DECIMALS: usize = 4;
/// The largest, in units. With it a number has 15 digits at most, as many as every reader of JSON keeps exactly.
const LARGEST: i64 = 999_999_999_999_999;

/// A number with up to four decimals, from -99999999999.9999 to 99999999999.9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(i64);

impl Number {
    /// The number in ten-thousandths, as an index holds it.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Reads the number of ten-thousandths; `None` where it is too large.
    pub fn of_units(units: i64) -> Option<Self> {
        (units.unsigned_abs() <= LARGEST.unsigned_abs()).then_some(Self(units))
    }

    /// Reads a JSON number. More decimals than four are refused, never rounded, and so is what is too large.
    pub(super) fn read(number: &serde_json::Number) -> Option<Self> {
        match number.as_i64() {
            Some(whole) => whole.checked_mul(SCALE).and_then(Self::of_units),
            // the shortest digits that mean this number, which `Display` writes without an exponent
            None => Self::parse(&number.as_f64()?.to_string()),
        }
    }

    /// Reads `-12.5`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(decimals) {
            return None;
        }
        let decimals = decimals.trim_end_matches('0');
        if decimals.len() > DECIMALS {
            return None;
        }
        let units: i64 = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
        Self::of_units(if negative { -units } else { units })
    }

    /// The number on the wire: a whole one without decimals.
    pub(super) fn json(self) -> Value {
        if self.0 % SCALE == 0 {
            return Value::from(self.0 / SCALE);
        }
        self.to_string().parse::<f64>().map_or(Value::Null, Value::from)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, units) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, rest) = (units / SCALE.unsigned_abs(), units % SCALE.unsigned_abs());
        if rest == 0 {
            return write!(out, "{sign}{whole}");
        }
        let decimals = format!("{rest:0>DECIMALS$}");
        write!(out, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}
