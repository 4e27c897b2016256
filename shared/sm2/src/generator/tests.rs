//! \[k\]G against the sm2 crate.

use proptest::prelude::*;
use sm2::elliptic_curve::PrimeField;
use sm2::elliptic_curve::sec1::ToSec1Point;

use super::*;
use crate::keys::tests::edge_scalars;

pub(crate) fn reference(k: &Scalar) -> [u8; 65] {
    let k = sm2::Scalar::from_repr(k.to_bytes().into()).unwrap();
    let point = (sm2::ProjectivePoint::GENERATOR * k).to_affine();
    point.to_sec1_point(false).as_bytes().try_into().unwrap()
}

pub(crate) fn encoded(point: Jacobian) -> [u8; 65] {
    let point = point.to_affine();
    let (x, y) = (
        limbs::to_bytes(&point.x.to_limbs()),
        limbs::to_bytes(&point.y.to_limbs()),
    );
    [&[4], &x[..], &y[..]].concat().try_into().unwrap()
}

#[test]
fn edge_scalars_give_the_points_of_another_implementation() {
    for k in edge_scalars() {
        assert_eq!(encoded(multiply(&k)), reference(&k), "{k:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_scalar_gives_the_point_of_another_implementation(limbs: [u64; 4]) {
        let k = Scalar::reduced(&limbs);
        assert_eq!(encoded(multiply(&k)), reference(&k));
    }
}
