//! The field against the arithmetic of crypto-bigint.

use proptest::prelude::*;
use sm2::elliptic_curve::bigint::{NonZero, U256};

use super::*;
use crate::limbs::{from_bytes, to_bytes};

fn modulus() -> NonZero<U256> {
    NonZero::new(U256::from_be_slice(&to_bytes(&P))).unwrap()
}

fn reference(number: &Limbs) -> U256 {
    U256::from_be_slice(&to_bytes(number))
}

fn limbs_of(number: &U256) -> Limbs {
    from_bytes(&number.to_be_bytes().into())
}

/// Every operation on two numbers below p.
fn check(left: &Limbs, right: &Limbs) {
    let (modulus, a, b) = (modulus(), reference(left), reference(right));
    let (x, y) = (
        Element::from_limbs(left).unwrap(),
        Element::from_limbs(right).unwrap(),
    );
    assert_eq!(x.to_limbs(), *left);
    assert_eq!(x.mul(&y).to_limbs(), limbs_of(&a.mul_mod(&b, &modulus)));
    assert_eq!(x.square(), x.mul(&x));
    assert_eq!(x.add(&y).to_limbs(), limbs_of(&a.add_mod(&b, &modulus)));
    assert_eq!(x.sub(&y).to_limbs(), limbs_of(&a.sub_mod(&b, &modulus)));
    assert_eq!(x.double(), x.add(&x));
    assert_eq!(x.negate().add(&x), Element::ZERO);
    assert_eq!(x.is_zero() == 1, *left == [0; 4]);
    // The Montgomery forms themselves, taken as numbers, are as good as any.
    let raw = Element::from_montgomery(*left).mul(&Element::from_montgomery(*right));
    assert_eq!(raw, Element::from_limbs(&raw.to_limbs()).unwrap());
}

/// Numbers where carries, borrows and reductions change their ways.
fn edges() -> Vec<Limbs> {
    let p = reference(&P);
    let mut edges = vec![U256::ZERO, reference(&COMPLEMENT), reference(&SQUARED)];
    for bit in (0..256)
        .step_by(16)
        .chain([31, 33, 63, 65, 95, 97, 223, 225, 255])
    {
        let power = U256::ONE.wrapping_shl_vartime(bit);
        edges.extend([
            power,
            power.wrapping_sub(&U256::ONE),
            power.wrapping_add(&U256::ONE),
        ]);
    }
    for small in 1_u64..5 {
        edges.push(p.wrapping_sub(&U256::from_u64(small)));
        edges.push(p.shr_vartime(1).wrapping_add(&U256::from_u64(small)));
    }
    edges
        .into_iter()
        .map(|number| number.rem_vartime(&modulus()))
        .map(|number| limbs_of(&number))
        .collect()
}

#[test]
fn edge_values_compute_as_in_another_implementation() {
    for left in edges() {
        for right in edges() {
            check(&left, &right);
        }
    }
}

#[test]
fn numbers_from_p_on_are_no_elements() {
    assert!(Element::from_limbs(&P).is_none());
    assert!(Element::from_limbs(&limbs::add(&P, &[1, 0, 0, 0]).0).is_none());
    assert!(Element::from_limbs(&[u64::MAX; 4]).is_none());
    assert!(Element::from_limbs(&limbs::sub(&P, &[1, 0, 0, 0]).0).is_some());
}

#[test]
fn an_element_times_its_inverse_is_one() {
    for number in edges() {
        let element = Element::from_limbs(&number).unwrap();
        let expected = if number == [0; 4] {
            Element::ZERO
        } else {
            Element::ONE
        };
        assert!(element.invert().mul(&element) == expected);
    }
    assert_eq!(Element::ONE.to_limbs(), [1, 0, 0, 0]);
}

/// A number below p, biased to limbs of all ones and all zeros.
fn number() -> impl Strategy<Value = Limbs> {
    let limb = prop_oneof![4 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX), 1 => Just(0xffff_ffff)];
    prop::array::uniform4(limb).prop_filter("below p", |limbs| limbs::sub(limbs, &P).1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_values_compute_as_in_another_implementation(left in number(), right in number()) {
        check(&left, &right);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_inverse_is_one(value in number()) {
        let element = Element::from_limbs(&value).unwrap();
        prop_assume!(element.is_zero() == 0);
        assert_eq!(element.invert().mul(&element), Element::ONE);
    }
}

impl core::fmt::Debug for Element {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:x?}", self.0)
    }
}
