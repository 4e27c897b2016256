//! The scalars against those of the sm2 crate.

use proptest::prelude::*;
use sm2::elliptic_curve::PrimeField;

use super::*;

fn reference(number: &Scalar) -> sm2::Scalar {
    sm2::Scalar::from_repr(number.to_bytes().into()).unwrap()
}

fn scalar(number: &sm2::Scalar) -> Scalar {
    Scalar::from_bytes(&number.to_bytes().into()).unwrap()
}

fn check(left: &Scalar, right: &Scalar) {
    let (a, b) = (reference(left), reference(right));
    assert_eq!(left.mul(&right.to_factor()), scalar(&(a * b)));
    assert_eq!(left.add(right), scalar(&(a + b)));
    assert_eq!(left.sub(right), scalar(&(a - b)));
    assert_eq!(left.negate(), scalar(&-a));
    if left.is_zero() == 0 {
        let (odd, negated) = left.to_odd();
        assert_eq!(odd.0[0] & 1, 1);
        assert_eq!(if negated == 0 { odd } else { odd.negate() }, *left);
    }
}

fn edges() -> Vec<Scalar> {
    let mut edges = vec![
        Scalar::default(),
        Scalar::ONE,
        Scalar::reduced(&COMPLEMENT),
        SQUARED,
    ];
    for bit in 0..256 {
        let mut power = [0; 4];
        power[bit / 64] = 1 << (bit % 64);
        let power = Scalar::reduced(&power);
        edges.extend([power, power.negate()]);
        if bit % 16 == 15 {
            edges.extend([power.add(&Scalar::ONE), power.sub(&Scalar::ONE)]);
        }
    }
    edges
}

#[test]
fn edge_values_compute_as_in_another_implementation() {
    let edges = edges();
    for left in &edges {
        for right in edges.iter().step_by(5) {
            check(left, right);
        }
    }
}

#[test]
fn inverses_are_those_of_another_implementation() {
    for scalar in edges() {
        let product = scalar.mul(&scalar.invert());
        let expected = if scalar.is_zero() == 1 {
            Scalar::default()
        } else {
            Scalar::ONE
        };
        assert_eq!(product, expected);
        if scalar.is_zero() == 0 {
            let inverse = Scalar::ONE.mul(&scalar.invert());
            assert_eq!(reference(&inverse), reference(&scalar).invert().unwrap());
        }
    }
}

#[test]
fn numbers_from_n_on_are_no_scalars_and_are_reduced_once() {
    assert!(Scalar::from_bytes(&limbs::to_bytes(&N)).is_none());
    assert!(Scalar::from_bytes(&[0xff; 32]).is_none());
    assert_eq!(Scalar::reduced(&N), Scalar::default());
    assert_eq!(
        Scalar::reduced(&[u64::MAX; 4]),
        Scalar::reduced(&COMPLEMENT).sub(&Scalar::ONE)
    );
}

#[test]
fn a_small_residue_stands_for_two_coordinates() {
    // p - n itself plus n would be p, which is no coordinate.
    let last = limbs::sub(&P_MINUS_N, &[1, 0, 0, 0]).0;
    assert!(Scalar(P_MINUS_N).other_coordinate().is_none());
    let other = Scalar(last).other_coordinate().unwrap();
    assert!(crate::field::Element::from_limbs(&other).is_some());
    assert!(crate::field::Element::from_limbs(&limbs::add(&other, &[1, 0, 0, 0]).0).is_none());
    assert_eq!(Scalar::reduced(&other), Scalar(last));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn any_values_compute_as_in_another_implementation(left: [u64; 4], right: [u64; 4]) {
        check(&Scalar::reduced(&left), &Scalar::reduced(&right));
    }
}

impl core::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:x?}", self.0)
    }
}
