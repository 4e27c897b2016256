//! \[d\]P against the sm2 crate.

use proptest::prelude::*;
use sm2::elliptic_curve::PrimeField;
use sm2::elliptic_curve::sec1::ToSec1Point;

use super::*;
use crate::generator;
use crate::generator::tests::encoded;
use crate::keys::tests::edge_scalars;
use crate::point::GENERATOR;

fn check(d: &Scalar, of: &Scalar) {
    let point = generator::multiply(of).to_affine();
    let [a, b] = [d, of].map(|k| sm2::Scalar::from_repr(k.to_bytes().into()).unwrap());
    let expected = (sm2::ProjectivePoint::GENERATOR * (a * b)).to_affine();
    assert_eq!(
        encoded(multiply(d, &point))[..],
        *expected.to_sec1_point(false).as_bytes(),
        "{d:?} times {of:?}"
    );
}

#[test]
fn edge_scalars_give_the_points_of_another_implementation() {
    let point = Scalar::reduced(&[7, 8, 9, 10]);
    for d in edge_scalars() {
        check(&d, &point);
        assert_eq!(
            encoded(multiply(&d, &GENERATOR)),
            encoded(generator::multiply(&d))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_scalar_and_point_give_the_point_of_another_implementation(d: [u64; 4], of: [u64; 4]) {
        check(&Scalar::reduced(&d), &Scalar::reduced(&of));
    }
}
