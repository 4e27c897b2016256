//! The range of private numbers, the encoding of points, and the scalars that other tests share.

use super::*;

const ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

/// Small ones and their opposites, which are where the last addition of a multiplication meets its own point, and those around
/// powers of two, where digits carry. None is zero.
pub(crate) fn edge_scalars() -> Vec<Scalar> {
    let small = |number: u64| Scalar::reduced(&[number, 0, 0, 0]);
    let mut scalars: Vec<Scalar> = (1..=200).map(small).collect();
    for bit in 8..256 {
        let mut power = [0; 4];
        power[bit / 64] = 1 << (bit % 64);
        let power = Scalar::reduced(&power);
        scalars.extend([power, power.add(&Scalar::ONE), power.sub(&Scalar::ONE)]);
    }
    // 30·2^252 - n: where an addition from the lowest window upwards would meet its own point.
    let half = Scalar::reduced(&[0, 0, 0, 0xf000_0000_0000_0000]);
    scalars.push(half.add(&half));
    let opposite: Vec<Scalar> = scalars.iter().map(Scalar::negate).collect();
    scalars.extend(opposite);
    scalars.retain(|scalar| scalar.is_zero() == 0);
    scalars
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn a_private_number_lies_between_one_and_n_minus_two() {
    let of = |last: u8| {
        let mut number: [u8; 32] = bytes(ORDER);
        number[31] = last;
        SecretScalar::from_bytes(&number).map(|_| ())
    };
    assert_eq!(of(0x20), Ok(()));
    assert_eq!(of(0x21), Ok(()));
    assert_eq!(of(0x22), Err(OutOfRange));
    assert_eq!(of(0x23), Err(OutOfRange));
    assert_eq!(of(0x24), Err(OutOfRange));
    assert_eq!(SecretScalar::from_bytes(&[0; 32]).map(|_| ()), Err(OutOfRange));
    assert_eq!(SecretScalar::from_bytes(&[0xff; 32]).map(|_| ()), Err(OutOfRange));
    let mut one = [0; 32];
    one[31] = 1;
    let secret = SecretScalar::from_bytes(&one).unwrap();
    assert_eq!(*secret.to_bytes(), one);
    assert!(*secret.public_point().affine() == crate::point::GENERATOR);
}

#[test]
fn a_point_keeps_its_bytes_and_a_changed_one_is_refused() {
    let secret = SecretScalar::from_bytes(&[0x5a; 32]).unwrap();
    let encoded = secret.public_point().to_bytes();
    assert_eq!(VerifyingPoint::from_bytes(&encoded), Ok(secret.public_point()));
    for at in 0..64 {
        let mut changed = encoded;
        changed[at] ^= 0x80;
        assert_eq!(VerifyingPoint::from_bytes(&changed), Err(NotOnCurve));
    }
    assert_eq!(VerifyingPoint::from_bytes(&[0; 64]), Err(NotOnCurve));
    assert_eq!(VerifyingPoint::from_bytes(&[0xff; 64]), Err(NotOnCurve));
}

#[test]
fn two_sides_agree_on_a_point() {
    let [a, b] = [[3; 32], [4; 32]].map(|bytes| SecretScalar::from_bytes(&bytes).unwrap());
    assert_eq!(a.multiply(&b.public_point()), b.multiply(&a.public_point()));
}

// GM/T 0003.5-2012, the worked example of encryption: k, P, and (x2, y2) = [k]P by way of C3 = SM3(x2 ‖ M ‖ y2).
#[test]
fn the_worked_example_of_encryption_has_its_points() {
    use sm3::{Digest, Sm3};
    let k = SecretScalar::from_bytes(&bytes(
        "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21",
    ))
    .unwrap();
    let holder = VerifyingPoint::from_bytes(&bytes(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    ))
    .unwrap();
    assert_eq!(
        hex::encode(k.public_point().to_bytes()),
        "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73\
         e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    );
    let shared = k.multiply(&holder).to_bytes();
    let digest = Sm3::new()
        .chain_update(&shared[..32])
        .chain_update(b"encryption standard")
        .chain_update(&shared[32..])
        .finalize();
    assert_eq!(
        hex::encode(digest),
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    );
}

#[test]
fn debug_shows_no_private_number() {
    let secret = SecretScalar::from_bytes(&[0x5a; 32]).unwrap();
    assert_eq!(format!("{secret:?}"), "SecretScalar { .. }");
}
