//! \[s\]G + \[t\]P for public numbers, and the comparison that ends a verification. Nothing here is secret, nothing is constant in time.

use crate::generator::small_multiples;
use crate::limbs::{self, Limbs};
use crate::point::{Affine, Jacobian, odd_multiples};
use crate::scalar::Scalar;

/// Window for P, whose table is made anew each time, and for G, whose table is there.
const POINT_WIDTH: usize = 5;
const POINT_ENTRIES: usize = 1 << (POINT_WIDTH - 2);
const GENERATOR_WIDTH: usize = 7;

/// A digit for each bit, and one more for the last carry.
type Digits = [i8; 257];

/// \[s\]G + \[t\]P, whatever the numbers: every addition is the complete one.
pub fn sum_of_multiples(s: &Scalar, t: &Scalar, point: &Affine) -> Jacobian {
    let of_generator = small_multiples();
    let of_point: [Affine; POINT_ENTRIES] = odd_multiples(point);
    let (s, t) = (
        digits(s.as_limbs(), GENERATOR_WIDTH),
        digits(t.as_limbs(), POINT_WIDTH),
    );
    let mut sum = Jacobian::INFINITY;
    let used = s.iter().zip(&t).rposition(|digits| digits != (&0, &0));
    for at in (0..=used.unwrap_or(0)).rev() {
        sum = sum.double();
        if let Some(entry) = entry(of_generator, s[at]) {
            sum = sum.add_public(&entry);
        }
        if let Some(entry) = entry(&of_point, t[at]) {
            sum = sum.add_public(&entry);
        }
    }
    sum
}

/// Whether the affine x of the point, reduced modulo n, is the wanted residue; never for the point at infinity. Without an inversion: X is
/// compared with x·Z² for each x below p of that residue, of which there are two at most.
pub fn has_x(point: &Jacobian, residue: &Scalar) -> bool {
    if point.is_infinity() {
        return false;
    }
    let z_squared = point.z.square();
    let matches =
        |x: &Limbs| crate::field::Element::from_limbs(x).is_some_and(|x| x.mul(&z_squared) == point.x);
    matches(residue.as_limbs()) || residue.other_coordinate().is_some_and(|x| matches(&x))
}

/// The multiple of an odd digit; none for zero.
fn entry<const N: usize>(table: &[Affine; N], digit: i8) -> Option<Affine> {
    let entry = table.get(usize::from(digit.unsigned_abs() / 2))?;
    match digit {
        0 => None,
        1.. => Some(*entry),
        _ => Some(entry.negate()),
    }
}

/// The width-w non-adjacent form: digits that are zero or odd and below 2^(w-1) in size, of any w neighbours at most one not zero.
fn digits(number: &Limbs, width: usize) -> Digits {
    let mut digits = [0; 257];
    let (mut at, mut carry) = (0, 0);
    while at < 257 {
        let bit = if at < 256 { limbs::bits(number, at, 1) } else { 0 };
        if bit == carry {
            at += 1;
            continue;
        }
        // Odd, with the carry: take a whole window, as a negative digit where its top bit is set.
        let taken = width.min(257 - at);
        let window = if at < 256 {
            limbs::bits(number, at, taken)
        } else {
            0
        } + carry;
        carry = (window >> (width - 1)) & 1;
        let digit = i64::try_from(window).unwrap_or(0) - (i64::try_from(carry << width).unwrap_or(0));
        digits[at] = i8::try_from(digit).unwrap_or(0);
        at += taken;
    }
    digits
}

#[cfg(test)]
mod tests;
