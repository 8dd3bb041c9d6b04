//! Numbers as people write them on axes.

/// `0.05`, `128`, `2.5×10⁻⁵`: at most `digits` significant digits, trailing zeros dropped.
pub(super) fn plain(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value.is_finite() { "0".to_owned() } else { "∞".to_owned() };
    }
    let rounded: f64 = format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value);
    let magnitude = rounded.abs();
    if (1e-3..1e6).contains(&magnitude) {
        return format!("{rounded}").replace('-', "−");
    }
    let exponent = magnitude.log10().floor() as i32;
    let mantissa = rounded / 10_f64.powi(exponent);
    let mantissa: f64 =
        format!("{mantissa:.*e}", digits.saturating_sub(1)).parse().unwrap_or(mantissa);
    if mantissa == 1.0 {
        return power_of_ten(exponent);
    }
    format!("{mantissa}×{}", power_of_ten(exponent)).replace('-', "−")
}

/// `10⁻³`.
pub(super) fn power_of_ten(exponent: i32) -> String {
    let superscript = |character: char| match character {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    };
    format!("10{}", exponent.to_string().chars().map(superscript).collect::<String>())
}

/// The exponent of a power of ten.
pub(super) fn decade(value: f64) -> Option<i32> {
    let exponent = value.log10();
    (value > 0.0 && (exponent - exponent.round()).abs() < 1e-9).then(|| exponent.round() as i32)
}

/// Multiples of 1, 2, 2.5 or 5 times a power of ten that divide a range into at most `most` parts.
pub(super) fn nice_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return vec![low];
    }
    let least = span / most.max(1) as f64;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = steps
        .iter()
        .map(|step| step * power)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|multiple| multiple as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(plain(0.1, 4), "0.1");
        assert_eq!(plain(128.0, 4), "128");
        assert_eq!(plain(0.30000000000000004, 4), "0.3");
        assert_eq!(plain(-2.5, 4), "−2.5");
        assert_eq!(plain(1e-5, 4), "10⁻⁵");
        assert_eq!(plain(2.5e-5, 4), "2.5×10⁻⁵");
        assert_eq!(plain(0.0, 4), "0");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
    }

    #[test]
    fn decades_are_recognised() {
        assert_eq!(decade(0.001), Some(-3));
        assert_eq!(decade(0.002), None);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks: Vec<String> =
            nice_ticks(0.13, 0.97, 5).iter().map(|tick| plain(*tick, 6)).collect();
        assert_eq!(ticks, ["0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(nice_ticks(2.0, 2.0, 5), [2.0]);
    }
}
