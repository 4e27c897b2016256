//! The private number and the public point.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::generator;
use crate::limbs;
use crate::multiply;
use crate::point::Affine;
use crate::scalar::{Factor, Scalar};

/// A private number is not in \[1, n-2\], or r or s of a signature not in \[1, n-1\].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number is out of range")]
pub struct OutOfRange;

/// The coordinates are not those of a point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the point is not on the curve")]
pub struct NotOnCurve;

/// The private key d, or a nonce of an encryption. Erased when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretScalar {
    scalar: Scalar,
    /// (1 + d)^-1: it takes as long as a third of a signature, and each needs it.
    inverse: Factor,
}

impl SecretScalar {
    /// From d, big-endian, in \[1, n-2\]: 1 + d must have an inverse.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OutOfRange> {
        let scalar = Scalar::from_bytes(bytes).ok_or(OutOfRange)?;
        let successor = scalar.add(&Scalar::ONE);
        if scalar.is_zero() | successor.is_zero() == 1 {
            return Err(OutOfRange);
        }
        Ok(Self {
            scalar,
            inverse: successor.invert(),
        })
    }

    /// d, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// \[d\]G.
    pub fn public_point(&self) -> VerifyingPoint {
        VerifyingPoint(generator::multiply(&self.scalar).to_affine())
    }

    /// \[d\]P. The result may be a secret; erase its bytes after use.
    pub fn multiply(&self, point: &VerifyingPoint) -> VerifyingPoint {
        VerifyingPoint(multiply::multiply(&self.scalar, &point.0).to_affine())
    }

    pub(crate) fn scalar(&self) -> &Scalar {
        &self.scalar
    }

    pub(crate) fn inverse(&self) -> &Factor {
        &self.inverse
    }
}

impl fmt::Debug for SecretScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretScalar").finish_non_exhaustive()
    }
}

/// A point of the curve, not the one at infinity.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct VerifyingPoint(Affine);

impl VerifyingPoint {
    /// From X ‖ Y, big-endian.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, NotOnCurve> {
        let ([x, y], _) = bytes.as_chunks::<32>() else {
            return Err(NotOnCurve);
        };
        let point = Affine::from_coordinates(&limbs::from_bytes(x), &limbs::from_bytes(y));
        point.map(Self).ok_or(NotOnCurve)
    }

    /// X ‖ Y, big-endian.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&limbs::to_bytes(&self.0.x.to_limbs()));
        bytes[32..].copy_from_slice(&limbs::to_bytes(&self.0.y.to_limbs()));
        bytes
    }

    pub(crate) fn affine(&self) -> &Affine {
        &self.0
    }
}

impl fmt::Debug for VerifyingPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingPoint").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
