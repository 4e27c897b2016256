//! Numbers of 256 bits as four limbs of 64, the least significant first, and choices without branches.

#![allow(
    clippy::inline_always,
    reason = "measured: each limb that passes through memory between two steps costs a tenth"
)]

use core::hint::black_box;

/// A number below 2^256.
pub type Limbs = [u64; 4];

/// All bits set for one, none for zero.
#[inline]
pub fn mask(condition: u64) -> u64 {
    hide(0_u64.wrapping_sub(condition))
}

/// All bits set if the two are equal, none if not. Both are below 2^63.
#[inline]
pub fn mask_equal(left: u64, right: u64) -> u64 {
    // Only zero minus one reaches the top bit.
    mask((left ^ right).wrapping_sub(1) >> 63)
}

/// Keeps the compiler from knowing that a mask has two values only: it would turn the choices made with it into branches, or into
/// addresses, as it has done (docs/decisions/0005-own-sm2-arithmetic.md).
#[inline]
fn hide(mask: u64) -> u64 {
    black_box(mask)
}

/// One if the number is zero, else zero.
#[inline]
pub fn is_zero(number: &Limbs) -> u64 {
    let any = number[0] | number[1] | number[2] | number[3];
    1 ^ ((any | any.wrapping_neg()) >> 63)
}

/// `yes` where the mask is set, `no` where it is not.
#[inline]
pub fn select(mask: u64, yes: &Limbs, no: &Limbs) -> Limbs {
    core::array::from_fn(|at| no[at] ^ (mask & (yes[at] ^ no[at])))
}

/// Sum and carry.
#[inline]
pub fn add(left: &Limbs, right: &Limbs) -> (Limbs, bool) {
    let (a, carry) = left[0].carrying_add(right[0], false);
    let (b, carry) = left[1].carrying_add(right[1], carry);
    let (c, carry) = left[2].carrying_add(right[2], carry);
    let (d, carry) = left[3].carrying_add(right[3], carry);
    ([a, b, c, d], carry)
}

/// Difference and borrow.
#[inline]
pub fn sub(left: &Limbs, right: &Limbs) -> (Limbs, bool) {
    let (a, borrow) = left[0].borrowing_sub(right[0], false);
    let (b, borrow) = left[1].borrowing_sub(right[1], borrow);
    let (c, borrow) = left[2].borrowing_sub(right[2], borrow);
    let (d, borrow) = left[3].borrowing_sub(right[3], borrow);
    ([a, b, c, d], borrow)
}

/// The product, all eight limbs.
#[inline(always)]
pub fn mul(left: &Limbs, right: &Limbs) -> [u64; 8] {
    let mut product = [0_u64; 8];
    for i in 0..4 {
        // The low halves and the high halves of the four products are two chains of carries.
        let parts: [(u64, u64); 4] = core::array::from_fn(|j| left[i].carrying_mul(right[j], 0));
        let mut carry = false;
        for j in 0..4 {
            (product[i + j], carry) = product[i + j].carrying_add(parts[j].0, carry);
        }
        product[i + 4] = u64::from(carry);
        carry = false;
        for j in 0..4 {
            (product[i + j + 1], carry) = product[i + j + 1].carrying_add(parts[j].1, carry);
        }
    }
    product
}

/// The square: each mixed product is computed once and doubled.
#[inline]
pub fn square(number: &Limbs) -> [u64; 8] {
    let [a, b, c, d] = *number;
    let (p1, carry) = a.carrying_mul(b, 0);
    let (p2, carry) = a.carrying_mul(c, carry);
    let (p3, p4) = a.carrying_mul(d, carry);
    let (p3, carry) = b.carrying_mul_add(c, p3, 0);
    let (p4, p5) = b.carrying_mul_add(d, p4, carry);
    let (p5, p6) = c.carrying_mul(d, p5);
    let doubled = [
        p1 << 1,
        p2 << 1 | p1 >> 63,
        p3 << 1 | p2 >> 63,
        p4 << 1 | p3 >> 63,
        p5 << 1 | p4 >> 63,
        p6 << 1 | p5 >> 63,
        p6 >> 63,
    ];
    let (a0, a1) = a.carrying_mul(a, 0);
    let (b0, b1) = b.carrying_mul(b, 0);
    let (c0, c1) = c.carrying_mul(c, 0);
    let (d0, d1) = d.carrying_mul(d, 0);
    let (s1, carry) = doubled[0].carrying_add(a1, false);
    let (s2, carry) = doubled[1].carrying_add(b0, carry);
    let (s3, carry) = doubled[2].carrying_add(b1, carry);
    let (s4, carry) = doubled[3].carrying_add(c0, carry);
    let (s5, carry) = doubled[4].carrying_add(c1, carry);
    let (s6, carry) = doubled[5].carrying_add(d0, carry);
    let (s7, _) = doubled[6].carrying_add(d1, carry);
    [a0, s1, s2, s3, s4, s5, s6, s7]
}

/// From 32 bytes, big-endian.
pub fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|at| u64::from_be_bytes(words[3 - at]))
}

/// 32 bytes, big-endian.
pub fn to_bytes(number: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<8>();
    for (word, limb) in words.iter_mut().rev().zip(number) {
        *word = limb.to_be_bytes();
    }
    bytes
}

/// The `width` bits from bit `at` on; bits above the number are zero. `width` is below 64; neither place is secret.
#[inline]
pub fn bits(number: &Limbs, at: usize, width: usize) -> u64 {
    let (limb, shift) = (at / 64, at % 64);
    let low = number[limb] >> shift;
    let high = match number.get(limb + 1) {
        // Two shifts: one by 64 would be none.
        Some(next) => next << 1 << (63 - shift),
        None => 0,
    };
    (low | high) & ((1 << width) - 1)
}
