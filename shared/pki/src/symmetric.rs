//! SM4: authenticated sealing with GCM, bare ECB blocks for GM/T 0009 envelopes, and CBC for GM/T 0010 messages.

use aes_gcm::AesGcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::cipher::consts::U12;
use rand_core::CryptoRng;
use sm4::Sm4;
use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use zeroize::Zeroizing;

/// Bytes of an SM4 key.
pub const KEY_BYTES: usize = 16;
/// Bytes of the random nonce in front of sealed data.
pub const NONCE_BYTES: usize = 12;
/// Bytes of the authentication tag behind sealed data.
pub const TAG_BYTES: usize = 16;
/// Bytes of an SM4 block, and of the IV of CBC.
pub const BLOCK_BYTES: usize = 16;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// The sealed data is too short, was changed, or belongs to another key or context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed data does not open with this key and context")]
pub struct CannotOpen;

/// Seals with SM4-GCM: nonce (12 random bytes) ‖ ciphertext ‖ tag (16). `context` is authenticated, not stored.
pub fn sm4_gcm_seal(
    key: &[u8; KEY_BYTES],
    context: &[u8],
    plaintext: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let sealed = sm4_gcm_encrypt(key, nonce, context, plaintext);
    [&nonce[..], &sealed].concat()
}

/// Opens what [`sm4_gcm_seal`] sealed under the same key and context.
pub fn sm4_gcm_open(
    key: &[u8; KEY_BYTES],
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(CannotOpen)?;
    let cipher = Sm4Gcm::new(key.into());
    let payload = Payload {
        msg: ciphertext,
        aad: context,
    };
    cipher
        .decrypt(nonce.into(), payload)
        .map(Zeroizing::new)
        .map_err(|_| CannotOpen)
}

fn sm4_gcm_encrypt(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    context: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    let cipher = Sm4Gcm::new(key.into());
    let payload = Payload {
        msg: plaintext,
        aad: context,
    };
    cipher
        .encrypt(&nonce.into(), payload)
        .expect("plaintexts in memory are below GCM's limit of 64 GiB")
}

/// SM4-ECB over whole blocks, without padding; `None` unless the length is a multiple of 16.
pub fn sm4_ecb_encrypt(key: &[u8; KEY_BYTES], blocks: &[u8]) -> Option<Vec<u8>> {
    ecb(blocks, |block| Sm4::new(key.into()).encrypt_block(block.into()))
}

/// The inverse of [`sm4_ecb_encrypt`].
pub fn sm4_ecb_decrypt(key: &[u8; KEY_BYTES], blocks: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    ecb(blocks, |block| Sm4::new(key.into()).decrypt_block(block.into())).map(Zeroizing::new)
}

/// SM4-CBC with the padding of PKCS #7. Nothing authenticates it.
pub fn sm4_cbc_encrypt(key: &[u8; KEY_BYTES], iv: &[u8; BLOCK_BYTES], plaintext: &[u8]) -> Vec<u8> {
    let cipher = Sm4::new(key.into());
    let padding = BLOCK_BYTES - plaintext.len() % BLOCK_BYTES;
    let mut out = plaintext.to_vec();
    out.resize(plaintext.len() + padding, padding.to_le_bytes()[0]);
    let mut previous = *iv;
    for block in out.as_chunks_mut::<BLOCK_BYTES>().0 {
        xor(block, &previous);
        cipher.encrypt_block(block.into());
        previous = *block;
    }
    out
}

/// The inverse of [`sm4_cbc_encrypt`]. A wrong key and wrong padding are one error. Whoever may send many ciphertexts and sees
/// whether they open can read others with it: let a person stand between.
pub fn sm4_cbc_decrypt(
    key: &[u8; KEY_BYTES],
    iv: &[u8; BLOCK_BYTES],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
    let blocks = sm4_ecb_decrypt(key, ciphertext).ok_or(CannotOpen)?;
    sm4_cbc_chain(blocks, iv, ciphertext)
}

/// The part of [`sm4_cbc_decrypt`] that needs no key, for keys that stay in a token: takes what each block decrypts to alone.
pub fn sm4_cbc_chain(
    mut blocks: Zeroizing<Vec<u8>>,
    iv: &[u8; BLOCK_BYTES],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
    let (before, rest) = ciphertext.as_chunks::<BLOCK_BYTES>();
    if !rest.is_empty() || blocks.len() != ciphertext.len() {
        return Err(CannotOpen);
    }
    let before = std::iter::once(iv).chain(before);
    for (block, before) in blocks.as_chunks_mut::<BLOCK_BYTES>().0.iter_mut().zip(before) {
        xor(block, before);
    }
    let padding = usize::from(*blocks.last().ok_or(CannotOpen)?);
    let length = blocks.len().checked_sub(padding).ok_or(CannotOpen)?;
    let padded = blocks[length..].iter().all(|byte| usize::from(*byte) == padding);
    if !(1..=BLOCK_BYTES).contains(&padding) || !padded {
        return Err(CannotOpen);
    }
    blocks.truncate(length);
    Ok(blocks)
}

fn xor(block: &mut [u8; BLOCK_BYTES], other: &[u8; BLOCK_BYTES]) {
    for (byte, other) in block.iter_mut().zip(other) {
        *byte ^= other;
    }
}

fn ecb(blocks: &[u8], mut apply: impl FnMut(&mut [u8; BLOCK_BYTES])) -> Option<Vec<u8>> {
    let mut out = blocks.to_vec();
    let (whole, rest) = out.as_chunks_mut::<BLOCK_BYTES>();
    whole.iter_mut().for_each(&mut apply);
    rest.is_empty().then_some(out)
}

#[cfg(test)]
mod tests;
