//! Time limits as people and Slurm write them.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Longest limit, 10 years of 365 days.
const LONGEST: u64 = 3_650 * DAY;

/// Reads a time limit, one second to ten years: seconds (`3600`), numbers with units d, h, m and s, the
/// largest first (`90m`, `1h30m`), or Slurm's `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`, `D-HH:MM:SS`.
/// A plain number is seconds here, though minutes for `sbatch --time`.
pub(crate) fn parse_time_limit(text: &str) -> Result<Duration, String> {
    let seconds = match text.split_once('-') {
        Some((days, rest)) => number(days)
            .and_then(|days| days.checked_mul(DAY)?.checked_add(clock(rest, &[HOUR, MINUTE, 1])?)),
        None if text.contains(':') => {
            let units: &[u64] =
                if text.matches(':').count() == 1 { &[MINUTE, 1] } else { &[HOUR, MINUTE, 1] };
            clock(text, units)
        }
        None => number(text).or_else(|| with_units(text)),
    };
    match seconds {
        Some(seconds @ 1..=LONGEST) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("a time limit is one second at least and ten years at most".to_owned()),
        None => Err(format!(
            "\"{text}\" is no duration: expected seconds, units as in 90m or 1h30m, or [D-]HH:MM:SS"
        )),
    }
}

fn number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Fields between colons, worth `units`; the last may be left out.
fn clock(text: &str, units: &[u64]) -> Option<u64> {
    let fields: Vec<&str> = text.split(':').collect();
    if fields.len() > units.len() {
        return None;
    }
    let values = fields.iter().zip(units).map(|(field, unit)| number(field)?.checked_mul(*unit));
    values.collect::<Option<Vec<u64>>>()?.into_iter().try_fold(0_u64, u64::checked_add)
}

fn with_units(text: &str) -> Option<u64> {
    let (mut rest, mut seconds, mut last_unit) = (text, 0_u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let count = number(&rest[..digits])?;
        let unit = match rest.as_bytes().get(digits)? {
            b'd' => DAY,
            b'h' => HOUR,
            b'm' => MINUTE,
            b's' => 1,
            _ => return None,
        };
        if unit >= last_unit {
            return None;
        }
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        (rest, last_unit) = (&rest[digits + 1..], unit);
    }
    (last_unit != u64::MAX).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_seconds() {
        let forms = [
            ("1", 1),
            ("3600", 3_600),
            ("90m", 5_400),
            ("2h", 7_200),
            ("45s", 45),
            ("1h30m", 5_400),
            ("1d2h3m4s", 93_784),
            ("59:30", 3_570),
            ("12:00:00", 43_200),
            ("00:00:10", 10),
            ("1-12", 129_600),
            ("1-12:30", 131_400),
            ("1-12:00:00", 129_600),
            ("2-00:00:01", 172_801),
        ];
        for (text, seconds) in forms {
            assert_eq!(parse_time_limit(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_forms() {
        let bad = [
            "",
            " ",
            "-",
            "-5",
            "1-",
            "-1:00",
            ":",
            "1:",
            ":1",
            "1:2:3:4",
            "1-1:2:3:4",
            "m",
            "1x",
            "1m1h",
            "1m1m",
            "1.5h",
            "+5",
            "1h30",
            "UNLIMITED",
            "1-2-3",
            "\u{0661}",
            "1\u{00e4}",
        ];
        for text in bad {
            let message = parse_time_limit(text).expect_err(text);
            assert!(message.contains("HH:MM:SS"), "{message}");
        }
    }

    #[test]
    fn limits_of_nothing_and_of_ages_are_refused() {
        for text in ["0", "0m", "0-00:00:00", "3651d", "18446744073709551615"] {
            let message = parse_time_limit(text).expect_err(text);
            assert!(message.contains("ten years"), "{message}");
        }
        for text in ["18446744073709551616", "18446744073709551615d"] {
            assert!(parse_time_limit(text).is_err());
        }
    }
}
