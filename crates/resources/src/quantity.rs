//! Kubernetes quantities: `100m`, `128Mi`, `1e3`, `0.5`.

use crate::meta::Quantity;

/// Nano-units per unit: the finest fraction that Kubernetes keeps.
const NANO: i128 = 1_000_000_000;

/// A quantity in nano-units, finer fractions rounded up; `None` when it is not one, or too large to be meant.
pub fn nanos(text: &str) -> Option<i128> {
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    // The value is mantissa × numerator / denominator, which keeps every digit until the one rounding below.
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (numerator, denominator) = scale(suffix)?;
    let denominator = denominator.checked_mul(10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
    let product = mantissa.checked_mul(numerator)?.checked_mul(NANO)?;
    let nanos = product / denominator + i128::from(product % denominator != 0);
    Some(if negative { -nanos } else { nanos })
}

fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (NANO, 1),
        "T" => (NANO * 1_000, 1),
        "P" => (NANO * 1_000_000, 1),
        "E" => (NANO * NANO, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

/// Thousandths, rounded up: CPU as `cpu.shares` and quotas want it.
pub fn millis(quantity: &Quantity) -> Option<i64> {
    let nanos = nanos(&quantity.0)?;
    i64::try_from(nanos.div_euclid(1_000_000) + i128::from(nanos.rem_euclid(1_000_000) != 0)).ok()
}

/// Whole units, rounded up: bytes of memory.
pub fn units(quantity: &Quantity) -> Option<i64> {
    let nanos = nanos(&quantity.0)?;
    i64::try_from(nanos.div_euclid(NANO) + i128::from(nanos.rem_euclid(NANO) != 0)).ok()
}

/// A quantity as Kubernetes writes it: no fraction, the largest suffix that loses nothing, of the kind that the text has.
/// `None` when it is no quantity. (upstream: apimachinery, `resource.Quantity.CanonicalizeBytes`)
pub fn canonical(text: &str) -> Option<String> {
    let nanos = nanos(text)?;
    let binary = text.ends_with('i') && nanos % NANO == 0 && nanos.abs() >= 1024 * NANO;
    if binary {
        let mut units = nanos / NANO;
        let mut suffix = "";
        for larger in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
            if units % 1024 != 0 {
                break;
            }
            units /= 1024;
            suffix = larger;
        }
        return Some(format!("{units}{suffix}"));
    }
    if nanos == 0 {
        return Some("0".to_owned());
    }
    let (mut amount, mut exponent) = (nanos, -9);
    while amount % 1000 == 0 {
        amount /= 1000;
        exponent += 3;
    }
    let by_exponent = text.contains('e') || text.contains('E') && !text.ends_with('E');
    let suffix = match exponent {
        0 => "",
        _ if by_exponent => return Some(format!("{amount}e{exponent}")),
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => return Some(format!("{amount}e{exponent}")),
    };
    Some(format!("{amount}{suffix}"))
}

/// Whether two quantities are the same amount, however they are written.
pub fn same(one: &str, other: &str) -> bool {
    one == other || matches!((nanos(one), nanos(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests;
