//! Inverses against Fermat's, computed by another implementation.

use proptest::prelude::*;
use sm2::elliptic_curve::bigint::{NonZero, U256};

use super::*;
use crate::limbs::{from_bytes, to_bytes};

const MODULI: [&str; 3] = [
    // p and n of the curve.
    "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff",
    "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
    // 2^255 - 19: another shape of modulus.
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
];

fn limbs_of(number: &U256) -> Limbs {
    from_bytes(&number.to_be_bytes().into())
}

/// The number times its inverse is one, and the inverse is below the modulus.
fn check(modulus: &str, number: &U256) {
    let modulus = U256::from_be_hex(modulus);
    let inverse = Modulus::new(limbs_of(&modulus)).invert(&limbs_of(number));
    let inverse = U256::from_be_slice(&to_bytes(&inverse));
    assert!(inverse < modulus);
    let product = inverse.mul_mod(number, &NonZero::new(modulus).unwrap());
    let expected = if *number == U256::ZERO {
        U256::ZERO
    } else {
        U256::ONE
    };
    assert_eq!(product, expected, "{number}");
}

#[test]
fn edge_values_have_inverses() {
    for text in MODULI {
        let modulus = U256::from_be_hex(text);
        for bit in 0..256 {
            let power = U256::ONE.wrapping_shl_vartime(bit);
            for number in [
                power,
                power.wrapping_sub(&U256::ONE),
                power.wrapping_add(&U256::ONE),
            ] {
                let number = number.rem_vartime(&NonZero::new(modulus).unwrap());
                check(text, &number);
                if number != U256::ZERO {
                    check(text, &modulus.wrapping_sub(&number));
                }
            }
        }
    }
}

#[test]
fn both_forms_of_a_number_are_the_same() {
    for limbs in [[0; 4], [u64::MAX; 4], [1, 2, 3, 4], [1 << 63; 4]] {
        assert_eq!(from_signed(&to_signed(&limbs)), limbs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_value_has_an_inverse(bytes: [u8; 32]) {
        for text in MODULI {
            let modulus = NonZero::new(U256::from_be_hex(text)).unwrap();
            check(text, &U256::from_be_slice(&bytes).rem_vartime(&modulus));
        }
    }
}
