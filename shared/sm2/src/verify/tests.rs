//! \[s\]G + \[t\]P and its exceptional cases, against the sm2 crate.

use proptest::prelude::*;
use sm2::elliptic_curve::PrimeField;
use sm2::elliptic_curve::sec1::ToSec1Point;

use super::*;
use crate::generator;
use crate::generator::tests::encoded;
use crate::keys::tests::edge_scalars;

fn number(value: u64) -> Scalar {
    Scalar::reduced(&[value, 0, 0, 0])
}

/// Checks \[s\]G + \[t\]P for P = \[d\]G.
fn check(s: &Scalar, t: &Scalar, d: &Scalar) {
    let point = generator::multiply(d).to_affine();
    let sum = sum_of_multiples(s, t, &point);
    let [s, t, d] = [s, t, d].map(|k| sm2::Scalar::from_repr(k.to_bytes().into()).unwrap());
    let expected = sm2::ProjectivePoint::GENERATOR * (s + t * d);
    if bool::from(sm2::elliptic_curve::Group::is_identity(&expected)) {
        assert!(sum.is_infinity());
    } else {
        let expected = expected.to_affine().to_sec1_point(false);
        assert_eq!(encoded(sum)[..], *expected.as_bytes());
    }
}

#[test]
fn edge_scalars_give_the_points_of_another_implementation() {
    let edges = edge_scalars();
    for (at, s) in edges.iter().enumerate() {
        let t = &edges[(at * 7 + 3) % edges.len()];
        check(s, t, &number(0x1234_5678_9abc));
        check(s, &number(0), &number(3));
        check(&number(0), s, &number(3));
    }
}

#[test]
fn the_two_halves_may_be_the_same_point_or_opposite_ones() {
    for d in edge_scalars().iter().step_by(11) {
        for t in [number(1), number(77), Scalar::reduced(&[5, 6, 7, 8]).negate()] {
            // [s]G = [t]P, and [s]G = -[t]P.
            let s = t.mul(&d.to_factor());
            check(&s, &t, d);
            check(&s.negate(), &t, d);
        }
    }
    // P = ±G: the additions of one bit meet each other.
    for s in 1..80 {
        for t in 1..20 {
            check(&number(s), &number(t), &number(1));
            check(&number(s), &number(t), &number(1).negate());
        }
    }
    check(&number(0), &number(0), &number(5));
}

#[test]
fn digits_sum_up_to_their_number() {
    for scalar in edge_scalars() {
        for width in [5, 7] {
            let digits = digits(scalar.as_limbs(), width);
            let mut sum = Scalar::default();
            for digit in digits.iter().rev() {
                sum = sum.add(&sum);
                let size = number(u64::from(digit.unsigned_abs()));
                sum = if *digit < 0 {
                    sum.sub(&size)
                } else {
                    sum.add(&size)
                };
                assert!(*digit == 0 || digit % 2 != 0);
                assert!(digit.unsigned_abs() < 1 << (width - 1));
            }
            assert_eq!(sum, scalar);
        }
    }
}

#[test]
fn an_x_is_found_modulo_n() {
    let point = generator::multiply(&number(5)).double();
    let x = Scalar::reduced(&point.to_affine().x.to_limbs());
    assert!(has_x(&point, &x));
    assert!(!has_x(&point, &x.add(&Scalar::ONE)));
    assert!(!has_x(&Jacobian::INFINITY, &x));
    // Whatever stands in X: 0 = x·0² for every x.
    let infinity = Jacobian::default();
    assert!(!has_x(&infinity, &x) && !has_x(&infinity, &Scalar::default()));
}

#[test]
fn an_x_above_n_is_found_too() {
    // A random x lies between n and p with a chance of 2^-128; this one is made up. Whether it is on the curve does not matter here.
    let z = crate::field::Element::ONE.double();
    let x = number(3).other_coordinate().unwrap();
    let x = crate::field::Element::from_limbs(&x).unwrap();
    let point = Jacobian {
        x: x.mul(&z.square()),
        y: z,
        z,
    };
    assert!(has_x(&point, &number(3)));
    assert!(!has_x(&point, &number(4)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_scalars_give_the_point_of_another_implementation(s: [u64; 4], t: [u64; 4], d: [u64; 4]) {
        check(&Scalar::reduced(&s), &Scalar::reduced(&t), &Scalar::reduced(&d));
    }
}
