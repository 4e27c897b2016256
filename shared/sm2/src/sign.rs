//! Signing and verifying of a digest e (GM/T 0003.2, 6 and 7). Z and the message are the caller's.

use core::fmt;

use zeroize::Zeroize;

use crate::generator;
use crate::keys::{OutOfRange, SecretScalar, VerifyingPoint};
use crate::limbs;
use crate::nonce::Nonces;
use crate::scalar::Scalar;
use crate::verify::{has_x, sum_of_multiples};

/// Where the nonce of a signature comes from. It is never taken from randomness alone: a generator that repeats itself, as after a copy
/// of a machine's memory, would give the private key away.
#[derive(Clone, Copy)]
pub enum Nonce<'a> {
    /// RFC 6979 with SM3: the same digest gives the same signature.
    Deterministic,
    /// RFC 6979 with SM3 and 32 fresh random bytes (3.6): safe even if they are not random.
    Hedged(&'a [u8; 32]),
}

/// r and s, each in \[1, n-1\].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    r: Scalar,
    s: Scalar,
}

impl Signature {
    /// From r ‖ s, big-endian.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, OutOfRange> {
        let (halves, _) = bytes.as_chunks::<32>();
        let number = |at: usize| {
            let number = halves.get(at).and_then(Scalar::from_bytes);
            number.filter(|number| number.is_zero() == 0).ok_or(OutOfRange)
        };
        Ok(Self {
            r: number(0)?,
            s: number(1)?,
        })
    }

    /// r ‖ s, big-endian.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.r.to_bytes());
        bytes[32..].copy_from_slice(&self.s.to_bytes());
        bytes
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signature").field(&self.to_bytes()).finish()
    }
}

impl SecretScalar {
    /// Signs a digest.
    pub fn sign_digest(&self, e: &[u8; 32], nonce: Nonce<'_>) -> Signature {
        let e = Scalar::reduced(&limbs::from_bytes(e));
        let additional: &[u8] = match nonce {
            Nonce::Deterministic => &[],
            Nonce::Hedged(random) => random,
        };
        let mut nonces = Nonces::new(self.scalar(), &e, additional);
        loop {
            let mut k = nonces.next_nonce();
            let signature = self.sign_with(&e, &k);
            k.zeroize();
            // Nobody will ever see a second round: the chance is below 2^-250.
            if let Some(signature) = signature {
                return signature;
            }
        }
    }

    /// The signature with a certain nonce; none where the standard asks for another nonce.
    pub(crate) fn sign_with(&self, e: &Scalar, k: &Scalar) -> Option<Signature> {
        let point = generator::multiply(k).to_affine();
        let r = e.add(&Scalar::reduced(&point.x.to_limbs()));
        let mut sum = r.add(k);
        // (1 + d)^-1 · (k - r·d) = (1 + d)^-1 · (k + r) - r, with one multiplication.
        let s = sum.mul(self.inverse()).sub(&r);
        let unfit = r.is_zero() | sum.is_zero() | s.is_zero();
        sum.zeroize();
        (unfit == 0).then_some(Signature { r, s })
    }
}

impl VerifyingPoint {
    /// Whether the signature is one of this key over the digest.
    pub fn verify_digest(&self, e: &[u8; 32], signature: &Signature) -> bool {
        let Signature { r, s } = signature;
        let t = r.add(s);
        if t.is_zero() == 1 {
            return false;
        }
        let e = Scalar::reduced(&limbs::from_bytes(e));
        has_x(&sum_of_multiples(s, &t, self.affine()), &r.sub(&e))
    }
}

#[cfg(test)]
mod tests;
