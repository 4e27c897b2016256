//! \[d\]P for a secret d and any point P: decryption, encryption and key agreement.

use crate::generator::signed_entry;
use crate::limbs;
use crate::point::{Affine, Jacobian, odd_multiples};
use crate::scalar::Scalar;

/// Bits of a window.
const WIDTH: usize = 5;
/// P · {1, 3, 5 … 31}.
const ENTRIES: usize = 1 << (WIDTH - 1);
/// Windows below bit 255.
const WINDOWS: usize = 51;

/// \[d\]P for d in \[1, n-1\].
///
/// As for the generator, an odd d is a sum of odd digits between -31 and 31 and, above them, 2^255. No addition but the last can
/// be exceptional: before each the sum is A·P with A a positive multiple of 32, and the digit D is odd and below 32 in size, so that
/// neither A - D nor A + D is zero, and before the last window both are far below n. The last one can: d = n - 6 ends in
/// (n - 3) + (-3), the sum of a point with itself.
pub fn multiply(d: &Scalar, point: &Affine) -> Jacobian {
    let (odd, negated) = d.to_odd();
    let table: [Affine; ENTRIES] = odd_multiples(point);
    let mut sum = Jacobian::from(*point);
    for window in (0..WINDOWS).rev() {
        for _ in 0..WIDTH {
            sum = sum.double();
        }
        let digit = limbs::bits(odd.as_limbs(), WIDTH * window, WIDTH + 1) | 1;
        let entry = signed_entry(&table, digit);
        if window > 0 {
            sum = sum.add_different(&entry);
        } else {
            sum = sum.add_complete(&entry);
        }
    }
    sum.negate_masked(negated)
}

#[cfg(test)]
mod tests;
