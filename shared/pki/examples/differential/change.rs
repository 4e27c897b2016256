//! Signatures that are not right any more, and those that were never well formed.

use yinxin_pki::der;
use yinxin_pki::key::signature_to_raw;

use crate::stream::Stream;

const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72,
    0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
];

/// A message and a signature that must not verify, in one of 18 ways.
pub fn changed(way: usize, message: &[u8], signature: &[u8], random: &mut Stream) -> (Vec<u8>, Vec<u8>) {
    let raw = signature_to_raw(signature).expect("the signature is one of ours");
    let (r, s) = raw.split_at(32);
    let zero = [0; 32];
    let one = [&zero[..31], &[1]].concat();
    let mut message = message.to_vec();
    let signature = match way % 18 {
        0 => flipped(r, random, |r| encode(r, s)),
        1 => flipped(s, random, |s| encode(r, s)),
        2 => flipped(signature, random, <[u8]>::to_vec),
        3 => {
            message.push(0);
            signature.to_vec()
        }
        4 => {
            message = flipped(&[&message[..], &[0]].concat(), random, <[u8]>::to_vec);
            signature.to_vec()
        }
        5 => encode(s, r),
        6 => encode(&zero, s),
        7 => encode(r, &zero),
        8 => encode(&ORDER, s),
        9 => encode(r, &ORDER),
        // r + n and s + n are the same residues in 33 bytes.
        10 => encode(&plus_order(r), s),
        11 => encode(r, &plus_order(s)),
        // r + s = n.
        12 => encode(r, &order_minus(r)),
        13 => encode(r, &order_minus(s)),
        14 => encode(&one, &one),
        15 => [signature, &[0]].concat(),
        16 => signature[..signature.len() - 1].to_vec(),
        // A zero that DER does not allow before r.
        _ => {
            let r = der::integer(r);
            let longer = [&[r[0], r[1] + 1, 0], &r[2..]].concat();
            der::sequence(&[&longer, &der::integer(s)])
        }
    };
    (message, signature)
}

/// One bit of the signature or of the message is another.
pub fn changed_bit(message: &[u8], signature: &[u8], random: &mut Stream) -> (Vec<u8>, Vec<u8>) {
    if message.is_empty() || random.below(2) == 0 {
        (message.to_vec(), flipped(signature, random, <[u8]>::to_vec))
    } else {
        (flipped(message, random, <[u8]>::to_vec), signature.to_vec())
    }
}

fn flipped(bytes: &[u8], random: &mut Stream, then: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let bit = random.below(8 * bytes.len());
    bytes[bit / 8] ^= 1 << (bit % 8);
    then(&bytes)
}

fn encode(r: &[u8], s: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::integer(r), &der::integer(s)])
}

/// number + n.
fn plus_order(number: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; 33];
    let mut carry = 0;
    for at in (0..32).rev() {
        let total = u16::from(number[at]) + u16::from(ORDER[at]) + carry;
        [carry, sum[at + 1]] = [total >> 8, total & 0xff];
    }
    sum[0] = carry;
    sum.into_iter()
        .map(|byte| u8::try_from(byte).unwrap_or(0))
        .collect()
}

/// n - number.
fn order_minus(number: &[u8]) -> Vec<u8> {
    let mut difference = vec![0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let total = 256 + u16::from(ORDER[at]) - u16::from(number[at]) - borrow;
        borrow = 1 - (total >> 8);
        difference[at] = u8::try_from(total & 0xff).unwrap_or(0);
    }
    difference
}
