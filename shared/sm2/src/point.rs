//! Points of y² = x³ - 3x + b: affine ones, and those in Jacobian coordinates (X/Z², Y/Z³), which need no inversion.

use zeroize::DefaultIsZeroes;

use crate::field::Element;
use crate::limbs::{Limbs, mask, mask_equal};

/// b in Montgomery form.
const B: Element = Element::from_montgomery([
    0x90d2_3063_2bc0_dd42,
    0x71cf_379a_e9b5_37ab,
    0x5279_8150_5ea5_1c3c,
    0x240f_e188_ba20_e2c8,
]);

/// G, the base point.
pub const GENERATOR: Affine = Affine {
    x: Element::from_montgomery([
        0x6132_8990_f418_029e,
        0x3e79_81ed_dca6_c050,
        0xd6a1_ed99_ac24_c3c3,
        0x9116_7a5e_e1c1_3b05,
    ]),
    y: Element::from_montgomery([
        0xc135_4e59_3c2d_0ddd,
        0xc1f5_e578_8d32_95fa,
        0x8d4c_fb06_6e2a_48f8,
        0x63cd_65d4_81d7_35bd,
    ]),
};

/// A point by its coordinates; never the point at infinity.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Affine {
    pub x: Element,
    pub y: Element,
}

impl DefaultIsZeroes for Affine {}

impl Affine {
    /// From coordinates; none if one is not below p, or if the point is not on the curve.
    pub fn from_coordinates(x: &Limbs, y: &Limbs) -> Option<Self> {
        let (x, y) = (Element::from_limbs(x)?, Element::from_limbs(y)?);
        let three = Element::ONE.double().add(&Element::ONE);
        let right = x.square().sub(&three).mul(&x).add(&B);
        (y.square() == right).then_some(Self { x, y })
    }

    /// The opposite point where the mask is set.
    #[inline]
    pub fn negate_masked(&self, mask: u64) -> Self {
        let y = Element::select(mask, &self.y.negate(), &self.y);
        Self { x: self.x, y }
    }

    #[inline]
    pub fn negate(&self) -> Self {
        Self {
            x: self.x,
            y: self.y.negate(),
        }
    }

    /// The entry at a secret index: all entries are read. Not inlined, since only then the compiler uses vectors for it.
    #[inline(never)]
    pub fn look_up<const N: usize>(table: &[Self; N], index: u64) -> Self {
        let mut found = Self::default();
        for (at, entry) in (0_u64..).zip(table) {
            let mask = mask_equal(at, index);
            found.x.or_masked(&entry.x, mask);
            found.y.or_masked(&entry.y, mask);
        }
        found
    }
}

/// A point in Jacobian coordinates; Z = 0 is the point at infinity.
#[derive(Clone, Copy, Default)]
pub struct Jacobian {
    pub x: Element,
    pub y: Element,
    pub z: Element,
}

impl DefaultIsZeroes for Jacobian {}

impl From<Affine> for Jacobian {
    fn from(point: Affine) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: Element::ONE,
        }
    }
}

impl Jacobian {
    pub const INFINITY: Self = Self {
        x: Element::ONE,
        y: Element::ONE,
        z: Element::ZERO,
    };

    /// Twice the point; complete, since no point of the curve has order two.
    #[inline]
    pub fn double(&self) -> Self {
        let y_2 = self.y.double();
        let z_squared = self.z.square();
        let y_squared_4 = y_2.square();
        let z = y_2.mul(&self.z);
        // 3X² + aZ⁴ with a = -3.
        let slope = self.x.sub(&z_squared).mul(&self.x.add(&z_squared));
        let slope = slope.double().add(&slope);
        let middle = self.x.mul(&y_squared_4);
        let x = slope.square().sub(&middle.double());
        let y_fourth_8 = y_squared_4.square().halve();
        let y = middle.sub(&x).mul(&slope).sub(&y_fourth_8);
        Self { x, y, z }
    }

    /// The sum with an affine point that is neither this one nor its opposite, and this one not at infinity. For others the result
    /// is nonsense, with Z = 0 or not: who calls this must know that they cannot occur.
    #[inline]
    pub fn add_different(&self, other: &Affine) -> Self {
        let (distance, rise) = self.difference(other);
        self.add_along(&distance, &rise)
    }

    /// The sum with any affine point, in a time that does not tell which case it was.
    pub fn add_complete(&self, other: &Affine) -> Self {
        let (distance, rise) = self.difference(other);
        let sum = self.add_along(&distance, &rise);
        let twice = self.double();
        let other = Self::from(*other);
        // The sum of opposite points has Z = 0 as it should: Z is a multiple of the distance.
        let same = mask(distance.is_zero() & rise.is_zero());
        let infinite = mask(self.z.is_zero());
        Self::select(infinite, &other, &Self::select(same, &twice, &sum))
    }

    /// The sum with any affine point, for public points.
    #[inline]
    pub fn add_public(&self, other: &Affine) -> Self {
        if self.is_infinity() {
            return Self::from(*other);
        }
        let (distance, rise) = self.difference(other);
        if distance.is_zero() == 1 {
            return if rise.is_zero() == 1 {
                self.double()
            } else {
                Self::INFINITY
            };
        }
        self.add_along(&distance, &rise)
    }

    /// The opposite point where the mask is set.
    #[inline]
    pub fn negate_masked(&self, mask: u64) -> Self {
        let y = Element::select(mask, &self.y.negate(), &self.y);
        Self { y, ..*self }
    }

    /// For public points.
    #[inline]
    pub fn is_infinity(&self) -> bool {
        self.z.is_zero() == 1
    }

    /// The affine form; (0, 0) for the point at infinity.
    pub fn to_affine(self) -> Affine {
        let inverse = self.z.invert();
        let square = inverse.square();
        Affine {
            x: self.x.mul(&square),
            y: self.y.mul(&square.mul(&inverse)),
        }
    }

    /// `yes` where the mask is set, `no` where it is not.
    fn select(mask: u64, yes: &Self, no: &Self) -> Self {
        Self {
            x: Element::select(mask, &yes.x, &no.x),
            y: Element::select(mask, &yes.y, &no.y),
            z: Element::select(mask, &yes.z, &no.z),
        }
    }

    /// How far the other lies in x and in y, both multiplied by powers of Z.
    #[inline]
    fn difference(&self, other: &Affine) -> (Element, Element) {
        let z_squared = self.z.square();
        let x = other.x.mul(&z_squared);
        let y = other.y.mul(&z_squared.mul(&self.z));
        (x.sub(&self.x), y.sub(&self.y))
    }

    #[inline]
    fn add_along(&self, distance: &Element, rise: &Element) -> Self {
        let squared = distance.square();
        let cubed = squared.mul(distance);
        let middle = self.x.mul(&squared);
        let x = rise.square().sub(&cubed).sub(&middle.double());
        let y = middle.sub(&x).mul(rise).sub(&self.y.mul(&cubed));
        let z = self.z.mul(distance);
        Self { x, y, z }
    }
}

/// P, 3P, 5P … (2N - 1)P for a point P.
///
/// The additions are done on an isomorphic curve on which 2P is affine, so that one kind of addition is enough; one inversion brings
/// all of them back. The order of P is n, a prime far above 2N: no addition here meets a point twice.
pub fn odd_multiples<const N: usize>(point: &Affine) -> [Affine; N] {
    let twice = Jacobian::from(*point).double();
    let scale = twice.z;
    let step = Affine {
        x: twice.x,
        y: twice.y,
    };
    let scale_squared = scale.square();
    let mut multiple = Jacobian {
        x: point.x.mul(&scale_squared),
        y: point.y.mul(&scale_squared.mul(&scale)),
        z: Element::ONE,
    };
    let multiples = core::array::from_fn(|at| {
        if at > 0 {
            multiple = multiple.add_different(&step);
        }
        Jacobian {
            z: multiple.z.mul(&scale),
            ..multiple
        }
    });
    to_affine_all(&multiples)
}

/// The affine forms of points none of which is at infinity, with one inversion (Montgomery's trick).
fn to_affine_all<const N: usize>(points: &[Jacobian; N]) -> [Affine; N] {
    // Products of the Z of all points before each.
    let mut before = [Element::ONE; N];
    for at in 1..N {
        before[at] = before[at - 1].mul(&points[at - 1].z);
    }
    let mut inverse = before[N - 1].mul(&points[N - 1].z).invert();
    let mut affine = [Affine::default(); N];
    for at in (0..N).rev() {
        let own = inverse.mul(&before[at]);
        inverse = inverse.mul(&points[at].z);
        let square = own.square();
        affine[at] = Affine {
            x: points[at].x.mul(&square),
            y: points[at].y.mul(&square.mul(&own)),
        };
    }
    affine
}

#[cfg(test)]
mod tests;
