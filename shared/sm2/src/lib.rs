//! Arithmetic of the SM2 curve (GM/T 0003, GB/T 32918): signing and verifying of digests, and multiplication of points for
//! encryption and key agreement. No X.509, no DER, no hashing of messages: that is `yinxin-pki`, which is the one user.
//!
//! ```
//! use yinxin_sm2::{Nonce, SecretScalar};
//!
//! let secret = SecretScalar::from_bytes(&[7; 32])?;
//! let signature = secret.sign_digest(&[1; 32], Nonce::Hedged(&[9; 32]));
//! assert!(secret.public_point().verify_digest(&[1; 32], &signature));
//! # Ok::<(), yinxin_sm2::OutOfRange>(())
//! ```
//!
//! # What is constant in time
//!
//! Everything that touches a secret: [`SecretScalar`] whole, that is multiplication of the generator (each look-up reads its whole
//! table), multiplication of a point, derivation of nonces and both inversions. There is no branch and no index that depends on
//! a secret. The one exception is named where it stands: a nonce that has to be drawn again, with a chance of 2^-32, of
//! which nothing but the fact is seen.
//!
//! Verification sees public values alone and takes as long as they need.
//!
//! # Layers
//!
//! | module | what |
//! | --- | --- |
//! | `limbs` | numbers of 256 bits, masks |
//! | `field`, `scalar`, `inverse` | residues modulo p and modulo n |
//! | `point` | addition and doubling |
//! | `generator`, `multiply`, `verify` | \[k\]G, \[d\]P, \[s\]G + \[t\]P |
//! | `nonce`, `sign`, `keys` | RFC 6979 with SM3, the signature, the public types |

mod field;
mod generator;
mod inverse;
mod keys;
mod limbs;
mod multiply;
mod nonce;
mod point;
mod scalar;
mod sign;
mod verify;

pub use keys::{NotOnCurve, OutOfRange, SecretScalar, VerifyingPoint};
pub use sign::{Nonce, Signature};
