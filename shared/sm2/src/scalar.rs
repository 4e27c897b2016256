//! Residues modulo n, the order of the curve: private keys, nonces, and the two numbers of a signature.

use zeroize::DefaultIsZeroes;

use crate::inverse::Modulus;
use crate::limbs::{self, Limbs, mask, select};

/// n.
const N: Limbs = [
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// 2^256 - n.
const COMPLEMENT: Limbs = [
    0xac44_0bf6_c62a_bedd,
    0x8dfc_2094_de39_fad4,
    0x0000_0000_0000_0000,
    0x0000_0001_0000_0000,
];

/// 2^512 mod n: takes a residue into Montgomery form.
const SQUARED: Scalar = Scalar([
    0x9011_92af_7c11_4f20,
    0x3464_504a_de6f_a2fa,
    0x620f_c84c_3aff_e0d4,
    0x1eb5_e412_a22b_3d3b,
]);

/// -n^-1 mod 2^64.
const NEGATIVE_INVERSE: u64 = 0x327f_9e88_7235_0975;

/// p - n: a coordinate below this may stand for itself plus n.
const P_MINUS_N: Limbs = [0xac44_0bf6_c62a_bedc, 0x8dfc_2093_de39_fad5, 0, 0];

static MODULUS: Modulus = Modulus::new(N);

/// A residue modulo n, always reduced, not in Montgomery form.
/// Some are secret: it has no Debug outside tests but as part of a public signature.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scalar(Limbs);

impl DefaultIsZeroes for Scalar {}

/// The Montgomery form of a residue, ready to multiply others.
#[derive(Clone, Copy, Default)]
pub struct Factor(Scalar);

impl DefaultIsZeroes for Factor {}

impl Scalar {
    pub const ONE: Self = Self([1, 0, 0, 0]);

    /// From a number below n, big-endian; none for others.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let number = limbs::from_bytes(bytes);
        limbs::sub(&number, &N).1.then_some(Self(number))
    }

    /// Any number below 2^256, reduced.
    #[inline]
    pub fn reduced(number: &Limbs) -> Self {
        Self(subtract_n(number, false))
    }

    pub fn to_bytes(self) -> [u8; 32] {
        limbs::to_bytes(&self.0)
    }

    pub fn as_limbs(&self) -> &Limbs {
        &self.0
    }

    /// The other number below p that has this residue, where there is one (public values only).
    pub fn other_coordinate(&self) -> Option<Limbs> {
        limbs::sub(&self.0, &P_MINUS_N)
            .1
            .then(|| limbs::add(&self.0, &N).0)
    }

    /// One if it is zero, else zero.
    #[inline]
    pub fn is_zero(&self) -> u64 {
        limbs::is_zero(&self.0)
    }

    #[inline]
    pub fn add(&self, other: &Self) -> Self {
        let (sum, carry) = limbs::add(&self.0, &other.0);
        Self(subtract_n(&sum, carry))
    }

    #[inline]
    pub fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = limbs::sub(&self.0, &other.0);
        let below = mask(u64::from(borrow));
        let masked = COMPLEMENT.map(|limb| limb & below);
        Self(limbs::sub(&difference, &masked).0)
    }

    #[inline]
    pub fn negate(&self) -> Self {
        Self::default().sub(self)
    }

    /// An odd number that gives the same point or its opposite, and the mask of the latter. A scalar is as good as its opposite,
    /// and of the two one is odd, since n is. Not for zero.
    #[inline]
    pub fn to_odd(self) -> (Self, u64) {
        let even = mask(1 ^ (self.0[0] & 1));
        (Self(select(even, &self.negate().0, &self.0)), even)
    }

    pub fn to_factor(self) -> Factor {
        Factor(montgomery(&self, &SQUARED))
    }

    #[inline]
    pub fn mul(&self, factor: &Factor) -> Self {
        montgomery(self, &factor.0)
    }

    /// The inverse, ready to multiply; zero for zero.
    pub fn invert(&self) -> Factor {
        Self(MODULUS.invert(&self.0)).to_factor()
    }
}

#[inline]
fn subtract_n(number: &Limbs, carry: bool) -> Limbs {
    let (less, reached) = limbs::add(number, &COMPLEMENT);
    select(mask(u64::from(carry | reached)), &less, number)
}

/// left · right · 2^-256 mod n.
#[inline]
fn montgomery(left: &Scalar, right: &Scalar) -> Scalar {
    let product = limbs::mul(&left.0, &right.0);
    let [a, b, c, d, high @ ..] = product;
    let mut low = [a, b, c, d];
    for _ in 0..4 {
        let multiple = low[0].wrapping_mul(NEGATIVE_INVERSE);
        let (_, carry) = multiple.carrying_mul_add(N[0], low[0], 0);
        let (s0, carry) = multiple.carrying_mul_add(N[1], low[1], carry);
        let (s1, carry) = multiple.carrying_mul_add(N[2], low[2], carry);
        let (s2, s3) = multiple.carrying_mul_add(N[3], low[3], carry);
        low = [s0, s1, s2, s3];
    }
    let (sum, carry) = limbs::add(&low, &high);
    Scalar(subtract_n(&sum, carry))
}

#[cfg(test)]
mod tests;
