//! Additions and their exceptional cases.

use super::*;
use crate::limbs;

fn multiple(times: usize) -> Affine {
    sum_of(times).to_affine()
}

/// Repeated complete addition: slow and simple.
fn sum_of(times: usize) -> Jacobian {
    (0..times).fold(Jacobian::INFINITY, |sum, _| sum.add_complete(&GENERATOR))
}

#[test]
fn the_generator_is_the_standards() {
    // GM/T 0003.5
    let x = "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7";
    let y = "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0";
    assert_eq!(hex::encode(limbs::to_bytes(&GENERATOR.x.to_limbs())), x);
    assert_eq!(hex::encode(limbs::to_bytes(&GENERATOR.y.to_limbs())), y);
    assert!(Affine::from_coordinates(&GENERATOR.x.to_limbs(), &GENERATOR.y.to_limbs()).is_some());
}

#[test]
fn both_complete_additions_know_all_cases() {
    // Another Z than one, so that nothing is equal limb by limb.
    let five = sum_of(2).double().add_different(&GENERATOR);
    for add in [Jacobian::add_complete, Jacobian::add_public] {
        assert!(add(&five, &multiple(5)).to_affine() == multiple(10));
        assert!(add(&five, &multiple(5).negate()).is_infinity());
        assert!(add(&five, &multiple(3)).to_affine() == multiple(8));
        assert!(add(&five, &multiple(3).negate()).to_affine() == multiple(2));
        assert!(add(&Jacobian::INFINITY, &multiple(3)).to_affine() == multiple(3));
        let infinity = five.add_public(&multiple(5).negate());
        assert!(add(&infinity, &multiple(3)).to_affine() == multiple(3));
    }
    assert!(Jacobian::INFINITY.double().is_infinity());
}

#[test]
fn odd_multiples_are_the_odd_multiples() {
    let table: [Affine; 16] = odd_multiples(&multiple(3));
    for (at, entry) in table.iter().enumerate() {
        assert!(*entry == multiple(3 * (2 * at + 1)));
    }
}

#[test]
fn a_look_up_finds_each_entry() {
    let table: [Affine; 8] = odd_multiples(&GENERATOR);
    for (at, entry) in (0..).zip(&table) {
        assert!(Affine::look_up(&table, at) == *entry);
        assert!(entry.negate_masked(u64::MAX) == entry.negate());
        assert!(entry.negate_masked(0) == *entry);
    }
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let (x, y) = (GENERATOR.x.to_limbs(), GENERATOR.y.to_limbs());
    let point = |x: &Limbs, y: &Limbs| Affine::from_coordinates(x, y).is_some();
    assert!(point(&x, &y));
    assert!(!point(&y, &x));
    assert!(!point(&[0; 4], &[0; 4]));
    for bit in 0..256 {
        let mut changed = x;
        changed[bit / 64] ^= 1 << (bit % 64);
        assert!(!point(&changed, &y), "bit {bit} of x");
        let mut changed = y;
        changed[bit / 64] ^= 1 << (bit % 64);
        assert!(!point(&x, &changed), "bit {bit} of y");
    }
    // x + p has the same residue and is refused all the same: a point has one encoding.
    let p = [u64::MAX, 0xffff_ffff_0000_0000, u64::MAX, 0xffff_fffe_ffff_ffff];
    let (x_plus_p, _) = limbs::add(&[1, 0, 0, 0], &p);
    assert!(!point(&x_plus_p, &y));
}
