//! Nonces are those of the rfc6979 crate, by way of the sm2 crate's signatures (see `sign`).

use super::*;

fn nonces(additional: &[u8]) -> Nonces {
    let [secret, digest] = [3, 4].map(|number| Scalar::reduced(&[number, 0, 0, 0]));
    Nonces::new(&secret, &digest, additional)
}

#[test]
fn a_nonce_is_repeatable_and_its_successors_differ() {
    let (mut one, mut two) = (nonces(&[]), nonces(&[]));
    let first = one.next_nonce();
    assert_eq!(first, two.next_nonce());
    one.update(&[&[0]]);
    assert_ne!(first, one.next_nonce());
}

#[test]
fn randomness_changes_the_nonce() {
    let first = nonces(&[]).next_nonce();
    assert_ne!(first, nonces(&[0; 32]).next_nonce());
    assert_ne!(nonces(&[1; 32]).next_nonce(), nonces(&[0; 32]).next_nonce());
}
