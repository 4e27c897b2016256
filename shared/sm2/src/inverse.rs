//! Inverses modulo p and modulo n in constant time: the "safegcd" of D. J. Bernstein and B.-Y. Yang, "Fast constant-time gcd
//! computation and modular inversion" (2019), in the variant that begins with δ = 1/2, for which 590 steps are enough for every
//! modulus of 256 bits (P. Wuille). A quarter of the time of Fermat's power.
//!
//! The steps divide by two and subtract, always the same number of times, whatever the number is. They are done in batches on the
//! lowest 62 bits alone; a batch is a matrix of four small numbers, which is then applied to the whole numbers.

use core::hint::black_box;

use zeroize::Zeroize;

use crate::limbs::Limbs;

/// Limbs of 62 bits in signed words, so that there is room for signs and carries. The uppermost limb has the sign.
type Signed = [i64; 5];

const LOW_62: u64 = u64::MAX >> 2;
/// Steps of one batch, and batches: 590 steps.
const STEPS: u32 = 59;
const BATCHES: usize = 10;

/// An odd prime modulus of 256 bits.
pub struct Modulus {
    limbs: Signed,
    /// Modulus^-1 mod 2^62.
    inverse: u64,
}

/// 2^62 times the matrix that a batch of steps is.
struct Matrix {
    of_f: [i64; 2],
    of_g: [i64; 2],
}

impl Modulus {
    pub const fn new(limbs: Limbs) -> Self {
        // Newton's iteration doubles the correct bits; an odd number is its own inverse modulo 8.
        let mut inverse = limbs[0];
        let mut correct_bits = 3;
        while correct_bits < 62 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(limbs[0].wrapping_mul(inverse)));
            correct_bits *= 2;
        }
        Self {
            limbs: to_signed(&limbs),
            inverse: inverse & LOW_62,
        }
    }

    /// The inverse of a number below the modulus; zero for zero.
    pub fn invert(&self, number: &Limbs) -> Limbs {
        // Always: f = d · number and g = e · number, modulo the modulus. At the end g is 0 and f is 1 or -1.
        let (mut f, mut g) = (self.limbs, to_signed(number));
        let (mut d, mut e): (Signed, Signed) = ([0; 5], [1, 0, 0, 0, 0]);
        // -(δ + 1/2)
        let mut zeta = -1;
        for _ in 0..BATCHES {
            let matrix = batch(&mut zeta, f[0], g[0]);
            (d, e) = self.apply_modulo(&matrix, &d, &e);
            (f, g) = apply(&matrix, &f, &g);
        }
        let inverse = self.normalise(&d, black_box(f[4] >> 63));
        for secret in [&mut f, &mut g, &mut d, &mut e] {
            secret.zeroize();
        }
        inverse
    }

    /// The matrix applied to d and e, divided by 2^62 modulo the modulus. Both stay between -2 moduli and one.
    #[inline]
    fn apply_modulo(&self, matrix: &Matrix, d: &Signed, e: &Signed) -> (Signed, Signed) {
        let row = |[left, right]: [i64; 2]| {
            // A negative number counts as one modulus more, which keeps the result in its range.
            let mut times = (left & (d[4] >> 63)) + (right & (e[4] >> 63));
            let lowest = product(left, d[0]) + product(right, e[0]);
            // And so many moduli more or less that the lowest 62 bits vanish.
            let surplus = low(lowest)
                .wrapping_mul(self.inverse)
                .wrapping_add(times.cast_unsigned());
            times -= (surplus & LOW_62).cast_signed();
            let mut sum = (lowest + product(self.limbs[0], times)) >> 62;
            let mut result = [0; 5];
            for at in 1..5 {
                sum += product(left, d[at]) + product(right, e[at]) + product(self.limbs[at], times);
                result[at - 1] = (low(sum) & LOW_62).cast_signed();
                sum >>= 62;
            }
            result[4] = low(sum).cast_signed();
            result
        };
        (row(matrix.of_f), row(matrix.of_g))
    }

    /// The number, or its opposite where the mask is set, between 0 and the modulus. It lies between -2 moduli and one.
    fn normalise(&self, number: &Signed, negate: i64) -> Limbs {
        let mut number = *number;
        // Twice: add the modulus to a negative number. In between, change the sign.
        for negate in [negate, 0] {
            let negative = black_box(number[4] >> 63);
            let mut carry = 0;
            for (limb, modulus) in number.iter_mut().zip(&self.limbs) {
                let sum = ((*limb + (modulus & negative)) ^ negate) - negate + carry;
                *limb = sum & LOW_62.cast_signed();
                carry = sum >> 62;
            }
            // The uppermost limb keeps its sign.
            number[4] |= carry << 62;
        }
        from_signed(&number)
    }
}

/// Does the steps of one batch on the lowest bits of f and g.
#[inline]
fn batch(zeta: &mut i64, f: i64, g: i64) -> Matrix {
    let (mut f, mut g) = (f.cast_unsigned(), g.cast_unsigned());
    // The matrix begins as 2^3 instead of one, since the batch has three steps less than 62.
    let (mut of_f, mut of_g) = ([8_u64, 0], [0_u64, 8]);
    for _ in 0..STEPS {
        // Masks: is δ positive, is g odd?
        let positive = (*zeta >> 63).cast_unsigned();
        let odd = 0_u64.wrapping_sub(g & 1);
        // g becomes g + f, or g - f if δ is positive, where it is odd: even after that.
        let signed = |number: u64| (number ^ positive).wrapping_sub(positive) & odd;
        g = g.wrapping_add(signed(f));
        of_g[0] = of_g[0].wrapping_add(signed(of_f[0]));
        of_g[1] = of_g[1].wrapping_add(signed(of_f[1]));
        // Where both hold, f takes the place of the old g, which is the new one plus f, and δ changes its sign.
        let swap = positive & odd;
        *zeta = (*zeta ^ swap.cast_signed()) - 1;
        f = f.wrapping_add(g & swap);
        of_f[0] = of_f[0].wrapping_add(of_g[0] & swap) << 1;
        of_f[1] = of_f[1].wrapping_add(of_g[1] & swap) << 1;
        g >>= 1;
    }
    Matrix {
        of_f: of_f.map(u64::cast_signed),
        of_g: of_g.map(u64::cast_signed),
    }
}

/// The matrix applied to f and g, divided by 2^62: no rest is left.
#[inline]
fn apply(matrix: &Matrix, f: &Signed, g: &Signed) -> (Signed, Signed) {
    let row = |[left, right]: [i64; 2]| {
        let mut sum = (product(left, f[0]) + product(right, g[0])) >> 62;
        let mut result = [0; 5];
        for at in 1..5 {
            sum += product(left, f[at]) + product(right, g[at]);
            result[at - 1] = (low(sum) & LOW_62).cast_signed();
            sum >>= 62;
        }
        result[4] = low(sum).cast_signed();
        result
    };
    (row(matrix.of_f), row(matrix.of_g))
}

#[inline]
fn product(left: i64, right: i64) -> i128 {
    i128::from(left) * i128::from(right)
}

/// The lowest 64 bits.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is above is dealt with apart"
)]
fn low(number: i128) -> u64 {
    number as u64
}

const fn to_signed(number: &Limbs) -> Signed {
    let [a, b, c, d] = *number;
    [
        (a & LOW_62).cast_signed(),
        ((a >> 62 | b << 2) & LOW_62).cast_signed(),
        ((b >> 60 | c << 4) & LOW_62).cast_signed(),
        ((c >> 58 | d << 6) & LOW_62).cast_signed(),
        (d >> 56).cast_signed(),
    ]
}

fn from_signed(number: &Signed) -> Limbs {
    let [a, b, c, d, top] = number.map(i64::cast_unsigned);
    [
        a | b << 62,
        b >> 2 | c << 60,
        c >> 4 | d << 58,
        d >> 6 | top << 56,
    ]
}

#[cfg(test)]
mod tests;
