//! Residues modulo p, the field of the curve (GM/T 0003.5), in Montgomery form: x is kept as x·2^256 mod p.
//!
//! p = 2^256 - 2^224 - 2^96 + 2^64 - 1 is -1 modulo 2^64, so that a step of Montgomery's reduction needs no multiplication: the
//! multiple of p to be added is the lowest limb itself, and that multiple is a few shifts.

#![allow(
    clippy::inline_always,
    reason = "measured: each limb that passes through memory between two steps costs a tenth"
)]

use core::hint::black_box;

use zeroize::DefaultIsZeroes;

use crate::inverse::Modulus;
use crate::limbs::{self, Limbs, mask, select};

/// p.
const P: Limbs = [
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// 2^256 - p, which is also the one of the Montgomery form. Adding it and looking at the carry compares with p; subtracting p itself
/// would break the chain of carries at its limbs of all ones.
const COMPLEMENT: Limbs = [1, 0xffff_ffff, 0, 0x1_0000_0000];

/// 2^512 mod p: takes a number into Montgomery form.
const SQUARED: Limbs = [
    0x0000_0002_0000_0003,
    0x0000_0002_ffff_ffff,
    0x0000_0001_0000_0001,
    0x0000_0004_0000_0002,
];

static MODULUS: Modulus = Modulus::new(P);

/// A residue modulo p, always reduced.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Element(Limbs);

impl DefaultIsZeroes for Element {}

impl Element {
    pub const ZERO: Self = Self([0; 4]);
    pub const ONE: Self = Self(COMPLEMENT);

    /// An element from its Montgomery form.
    pub const fn from_montgomery(limbs: Limbs) -> Self {
        Self(limbs)
    }

    /// From a number below p; none for others.
    pub fn from_limbs(number: &Limbs) -> Option<Self> {
        limbs::sub(number, &P)
            .1
            .then(|| Self(*number).mul(&Self(SQUARED)))
    }

    /// The number below p.
    pub fn to_limbs(self) -> Limbs {
        let [a, b, c, d] = self.0;
        reduce(&[a, b, c, d, 0, 0, 0, 0]).0
    }

    #[inline]
    pub fn add(&self, other: &Self) -> Self {
        let (sum, carry) = limbs::add(&self.0, &other.0);
        Self(subtract_p(&sum, carry))
    }

    #[inline]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    /// The half: an odd number is as good as itself plus p, which is even.
    #[inline]
    pub fn halve(&self) -> Self {
        let odd = mask(self.0[0] & 1);
        let (sum, carry) = limbs::add(&self.0, &P.map(|limb| limb & odd));
        let [a, b, c, d] = sum;
        Self([
            a >> 1 | b << 63,
            b >> 1 | c << 63,
            c >> 1 | d << 63,
            d >> 1 | u64::from(carry) << 63,
        ])
    }

    #[inline]
    pub fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = limbs::sub(&self.0, &other.0);
        // Below zero: p too few. Adding p is subtracting 2^256 - p.
        let below = mask(u64::from(borrow));
        let masked = COMPLEMENT.map(|limb| limb & below);
        Self(limbs::sub(&difference, &masked).0)
    }

    #[inline]
    pub fn negate(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline]
    pub fn mul(&self, other: &Self) -> Self {
        reduce(&limbs::mul(&self.0, &other.0))
    }

    #[inline]
    pub fn square(&self) -> Self {
        reduce(&limbs::square(&self.0))
    }

    /// `yes` where the mask is set, `no` where it is not.
    #[inline]
    pub fn select(mask: u64, yes: &Self, no: &Self) -> Self {
        Self(select(mask, &yes.0, &no.0))
    }

    /// Or-s in the other where the mask is set: many of these with one mask set read one entry of a table.
    #[inline]
    pub fn or_masked(&mut self, other: &Self, mask: u64) {
        for (limb, other) in self.0.iter_mut().zip(&other.0) {
            *limb |= other & mask;
        }
    }

    /// One if it is zero, else zero.
    #[inline]
    pub fn is_zero(&self) -> u64 {
        limbs::is_zero(&self.0)
    }

    /// The inverse; zero for zero.
    pub fn invert(&self) -> Self {
        // The inverse of x·2^256 lacks 2^512 to be the Montgomery form of that of x; each multiplication adds 2^256.
        let inverse = Self(MODULUS.invert(&self.0));
        inverse.mul(&Self(SQUARED)).mul(&Self(SQUARED))
    }
}

/// One subtraction of p where the number, with its carry as bit 256, is not below p.
#[inline(always)]
fn subtract_p(number: &Limbs, carry: bool) -> Limbs {
    // Were the limbs known, the compiler would take the chain of carries apart into comparisons, which is slower.
    let (less, reached) = limbs::add(number, black_box(&COMPLEMENT));
    select(mask(u64::from(carry | reached)), &less, number)
}

/// Montgomery's reduction: number · 2^-256 mod p, for numbers below p · 2^256.
#[inline(always)]
fn reduce(number: &[u64; 8]) -> Element {
    let [mut a, mut b, mut c, mut d, high @ ..] = *number;
    // Four times: add a·p, which makes the lowest limb zero, and drop that limb. (a·p + a) / 2^64 = a·(2^192 - 2^160 - 2^32 + 1).
    for _ in 0..4 {
        let (left, right) = (a << 32, a >> 32);
        let (s0, carry) = b.carrying_add(a, false);
        let (s1, carry) = c.carrying_add(0, carry);
        let (s2, carry) = d.carrying_add(0, carry);
        let s3 = a.wrapping_add(u64::from(carry));
        let (s0, borrow) = s0.borrowing_sub(left, false);
        let (s1, borrow) = s1.borrowing_sub(right, borrow);
        let (s2, borrow) = s2.borrowing_sub(left, borrow);
        // No carry or borrow is left: the whole is below 2^192 + p.
        let (s3, _) = s3.borrowing_sub(right, borrow);
        (a, b, c, d) = (s0, s1, s2, s3);
    }
    // The low half has become at most p and the high half is below p: one subtraction is enough.
    let (sum, carry) = limbs::add(&[a, b, c, d], &high);
    Element(subtract_p(&sum, carry))
}

#[cfg(test)]
mod tests;
