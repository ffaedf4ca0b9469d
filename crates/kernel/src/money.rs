//! Money as an integer of minor units and a currency.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::{Currency, Error, Result};

/// An amount in minor units (cents, say) of a currency. On the wire it is
/// `{"amount": "1234.50", "currency": "EUR"}`, a string with exactly the currency's own number of decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount in minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// The wire form of [`Money`].
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
pub struct MoneyText {
    /// The amount with exactly the currency's number of decimals.
    #[schema(pattern = r"^-?\d{1,16}(\.\d{1,4})?$", example = "1234.50")]
    amount: String,
    /// The currency, by its ISO 4217 code.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: Currency,
}

impl Money {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads `1234.50`. Fewer decimals than the currency has are filled up; more are refused, never rounded.
    ///
    /// # Errors
    /// `validation_failed` for anything that is no such number or does not fit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self> {
        let wrong = || Error::invalid_field("", "invalid_amount", "must be a decimal number of the currency's own precision");
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = usize::from(currency.exponent());
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) || decimals.len() > exponent {
            return Err(wrong());
        }
        if digits.ends_with('.') {
            return Err(wrong());
        }
        let magnitude: i64 = format!("{whole}{decimals:0<exponent$}").parse().map_err(|_| wrong())?;
        Ok(Self::new(if negative { -magnitude } else { magnitude }, currency))
    }

    /// The sum.
    ///
    /// # Errors
    /// `validation_failed` when the currencies differ or the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        self.minor.checked_add(other.minor).map(|minor| Self::new(minor, self.currency)).ok_or_else(too_large)
    }

    /// The difference.
    ///
    /// # Errors
    /// `validation_failed` when the currencies differ or the difference does not fit.
    pub fn minus(self, other: Self) -> Result<Self> {
        self.same_currency(other)?;
        self.minor.checked_sub(other.minor).map(|minor| Self::new(minor, self.currency)).ok_or_else(too_large)
    }

    /// `self × numerator ÷ denominator`, rounded half away from zero to minor units.
    ///
    /// # Errors
    /// `validation_failed` when the denominator is not positive or the result does not fit.
    pub fn scale(self, numerator: i64, denominator: i64) -> Result<Self> {
        if denominator <= 0 {
            return Err(too_large());
        }
        let (product, divisor) = (i128::from(self.minor) * i128::from(numerator), i128::from(denominator));
        let (quotient, rest) = (product / divisor, product % divisor);
        let rounded = if rest.abs() * 2 >= divisor { quotient + product.signum() } else { quotient };
        i64::try_from(rounded).map(|minor| Self::new(minor, self.currency)).map_err(|_| too_large())
    }

    fn same_currency(self, other: Self) -> Result<()> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(Error::invalid_field("", "currency_mismatch", "the currencies differ"))
    }
}

fn too_large() -> Error {
    Error::invalid_field("", "amount_too_large", "the amount is too large")
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = u32::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let (magnitude, unit) = (self.minor.unsigned_abs(), 10_u64.pow(exponent));
        match exponent {
            0 => write!(out, "{sign}{magnitude}"),
            _ => write!(out, "{sign}{}.{:0width$}", magnitude / unit, magnitude % unit, width = exponent as usize),
        }
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText { amount: self.to_string(), currency: self.currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        Self::parse(&text.amount, text.currency).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (minor, code, text) in [
            (123_450, "EUR", "1234.50"),
            (-5, "EUR", "-0.05"),
            (500, "JPY", "500"),
            (1, "KWD", "0.001"),
            (12345, "CLF", "1.2345"),
        ] {
            let money = Money::new(minor, currency(code));
            assert_eq!(money.to_string(), text);
            assert_eq!(Money::parse(text, currency(code)).unwrap(), money);
        }
        assert_eq!(Money::parse("7", currency("EUR")).unwrap().minor, 700);
    }

    #[test]
    fn what_is_no_exact_amount_is_refused() {
        for text in ["", "-", ".5", "1.", "1.234", "1e3", "+1", " 1", "١", "99999999999999999999", "--1"] {
            assert!(Money::parse(text, currency("EUR")).is_err(), "{text:?}");
        }
        assert!(Money::parse("1.0", currency("JPY")).is_err());
    }

    #[test]
    fn scaling_rounds_half_away_from_zero() {
        let cents = |minor| Money::new(minor, currency("EUR"));
        assert_eq!(cents(5).scale(1, 2).unwrap(), cents(3));
        assert_eq!(cents(-5).scale(1, 2).unwrap(), cents(-3));
        assert_eq!(cents(4).scale(1, 3).unwrap(), cents(1));
        assert!(cents(i64::MAX).scale(2, 1).is_err());
        assert!(cents(1).scale(1, 0).is_err());
    }

    proptest! {
        #[test]
        fn every_amount_survives_the_wire(minor in any::<i64>().prop_filter("has a magnitude", |m| *m != i64::MIN), at in any::<proptest::sample::Index>()) {
            let money = Money::new(minor, *at.get(&Currency::all().collect::<Vec<_>>()));
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn sums_are_exact_or_refused(a in any::<i64>(), b in any::<i64>()) {
            let (x, y) = (Money::new(a, currency("EUR")), Money::new(b, currency("EUR")));
            prop_assert_eq!(x.plus(y).ok().map(|m| m.minor), a.checked_add(b));
            prop_assert_eq!(x.minus(y).ok().map(|m| m.minor), a.checked_sub(b));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = Money::parse(&text, currency("EUR"));
        }
    }
}
