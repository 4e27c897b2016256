//! \[k\]G for a secret k, with a table of multiples of G and without doublings.

use std::sync::LazyLock;

use crate::limbs;
use crate::point::{Affine, GENERATOR, Jacobian, odd_multiples};
use crate::scalar::Scalar;

/// Bits of a window. With 6 the table has 88 KB; a wider one takes longer to read whole than it saves in additions.
const WIDTH: usize = 6;
/// Windows of 256 bits.
const WINDOWS: usize = 256_usize.div_ceil(WIDTH);
/// Odd multiples of a window: the even ones and the negative ones are not needed.
pub const ENTRIES: usize = 1 << (WIDTH - 1);

/// 64^i·G · {1, 3, 5 … 63} for each window i. Public data, computed at the first use in about a millisecond.
static TABLE: LazyLock<Box<[[Affine; ENTRIES]]>> = LazyLock::new(|| {
    let mut base = GENERATOR;
    (0..WINDOWS)
        .map(|_| {
            let row = odd_multiples(&base);
            let next = (0..WIDTH).fold(Jacobian::from(base), |point, _| point.double());
            base = next.to_affine();
            row
        })
        .collect()
});

/// G · {1, 3, 5 … 63}, for verification.
pub fn small_multiples() -> &'static [Affine; ENTRIES] {
    &TABLE[0]
}

/// \[k\]G for k in \[1, n-1\].
///
/// An odd k is the sum of odd digits between -63 and 63, one for each window, and the uppermost one is positive: digit i is
/// 2·(bits 6i+1 to 6i+6 of k) + 1 - 64. No digit is zero, so each window takes exactly one addition.
///
/// No addition but the last could meet its own point or the opposite one. Before window i the sum is A·G with A a multiple of 64^(i+1),
/// and the digit adds D·G with D = digit·64^i. A - D and A + D are multiples of 64^i, not zero, and below 64·n in size; were one a
/// multiple of n, it would be one of 64^i·n, since n is odd: possible for i = 0 only. There A would have to be n + 29, the one odd
/// multiple of 64 so near to n, and k would not be below n. That hangs on the width: the last addition is the complete one all the
/// same, as it has to be in `multiply`.
pub fn multiply(k: &Scalar) -> Jacobian {
    let (odd, negated) = k.to_odd();
    let mut rows = TABLE.iter().enumerate().rev();
    let (top, row) = rows.next().expect("the table has 43 rows");
    let digit = limbs::bits(odd.as_limbs(), WIDTH * top, WIDTH + 1) | 1;
    // The uppermost window is cut off at bit 256: its digit is below 16 and positive.
    let mut sum = Jacobian::from(Affine::look_up(row, digit >> 1));
    for (window, row) in rows {
        let digit = limbs::bits(odd.as_limbs(), WIDTH * window, WIDTH + 1) | 1;
        let entry = signed_entry(row, digit);
        if window > 0 {
            sum = sum.add_different(&entry);
        } else {
            sum = sum.add_complete(&entry);
        }
    }
    sum.negate_masked(negated)
}

/// The entry for the digit `offset_digit` - 2N, which is odd.
#[inline]
pub fn signed_entry<const N: usize>(row: &[Affine; N], offset_digit: u64) -> Affine {
    let negative = limbs::mask(1 ^ (offset_digit / (2 * N as u64)));
    let digit = offset_digit.wrapping_sub(2 * N as u64);
    // The absolute value: all bits flipped, plus one.
    let absolute = (digit ^ negative).wrapping_sub(negative);
    Affine::look_up(row, absolute >> 1).negate_masked(negative)
}

#[cfg(test)]
pub(crate) mod tests;
