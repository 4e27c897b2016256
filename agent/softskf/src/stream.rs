//! SM4 in ECB and CBC over data that comes in pieces, with padding or without.
use sm4::{
    Sm4,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Sar,
    blob::BlockCipherParam,
    constants::{SGD_SM4_CBC, SGD_SM4_ECB},
};

/// Bytes of a block, and of a key.
pub const BLOCK_BYTES: usize = KEY_LENGTH as usize;
/// The same, as C counts.
pub const KEY_LENGTH: u32 = 16;

/// A block cipher with its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `SGD_SM4_ECB`.
    Ecb,
    /// `SGD_SM4_CBC`.
    Cbc,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To ciphertext.
    Encrypt,
    /// To plaintext.
    Decrypt,
}

/// What is done about the last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// `PaddingType` 0: the data has to be whole blocks.
    None,
    /// `PaddingType` 1: PKCS#5.
    Pkcs5,
}

/// `BLOCKCIPHERPARAM`, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherParameters {
    /// 16 bytes for CBC; ECB takes none and does not look.
    pub iv: Vec<u8>,
    /// What is done about the last block.
    pub padding: Padding,
}

/// A message on its way through the cipher.
#[derive(Clone)]
pub struct Stream {
    cipher: Sm4,
    algorithm: Algorithm,
    direction: Direction,
    padding: Padding,
    /// The ciphertext block before.
    previous: [u8; BLOCK_BYTES],
    /// What is not worked on yet: less than a block, or one that may be the padded one.
    pending: Zeroizing<Vec<u8>>,
}

impl Algorithm {
    /// By its number in GM/T 0006-2012.
    pub fn of(number: u32) -> Result<Self, Sar> {
        match number {
            SGD_SM4_ECB => Ok(Self::Ecb),
            SGD_SM4_CBC => Ok(Self::Cbc),
            _ => Err(Sar::NotSupported),
        }
    }
}

impl CipherParameters {
    /// From the structure.
    pub fn of(param: &BlockCipherParam) -> Result<Self, Sar> {
        let (iv, length) = (param.iv, param.iv_len as usize);
        let padding = match param.padding_type {
            0 => Padding::None,
            1 => Padding::Pkcs5,
            _ => return Err(Sar::InvalidParameter),
        };
        let iv = iv.get(..length).ok_or(Sar::InvalidParameter)?.to_vec();
        Ok(Self { iv, padding })
    }
}

impl Stream {
    /// Starts a message.
    pub fn new(
        key: &[u8; BLOCK_BYTES],
        algorithm: Algorithm,
        direction: Direction,
        parameters: &CipherParameters,
    ) -> Result<Self, Sar> {
        let previous = match algorithm {
            Algorithm::Ecb => [0; BLOCK_BYTES],
            Algorithm::Cbc => parameters
                .iv
                .as_slice()
                .try_into()
                .map_err(|_| Sar::InvalidParameter)?,
        };
        Ok(Self {
            cipher: Sm4::new(key.into()),
            algorithm,
            direction,
            padding: parameters.padding,
            previous,
            pending: Zeroizing::new(Vec::new()),
        })
    }

    /// Takes a piece; gives what can be given already.
    pub fn update(&mut self, piece: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut data = Zeroizing::new(Vec::with_capacity(self.pending.len() + piece.len()));
        data.extend_from_slice(&self.pending);
        data.extend_from_slice(piece);
        let mut ready = data.len() - data.len() % BLOCK_BYTES;
        let holds_back = self.direction == Direction::Decrypt && self.padding == Padding::Pkcs5;
        if holds_back && ready == data.len() {
            ready = ready.saturating_sub(BLOCK_BYTES);
        }
        self.pending = Zeroizing::new(data.split_off(ready));
        self.transform(&mut data);
        data
    }

    /// Ends the message; gives what is left of it.
    pub fn finish(mut self) -> Result<Zeroizing<Vec<u8>>, Sar> {
        let mut data = std::mem::take(&mut self.pending);
        let wanted = match (self.padding, self.direction) {
            (Padding::None, _) => 0,
            (Padding::Pkcs5, Direction::Encrypt) => {
                data = pad(&data);
                BLOCK_BYTES
            }
            (Padding::Pkcs5, Direction::Decrypt) => BLOCK_BYTES,
        };
        if data.len() != wanted {
            return Err(Sar::DataLength);
        }
        self.transform(&mut data);
        if (self.padding, self.direction) == (Padding::Pkcs5, Direction::Decrypt) {
            unpad(&mut data)?;
        }
        Ok(data)
    }

    fn transform(&mut self, data: &mut [u8]) {
        for block in data.as_chunks_mut::<BLOCK_BYTES>().0 {
            let before = *block;
            match (self.algorithm, self.direction) {
                (Algorithm::Ecb, Direction::Encrypt) => self.cipher.encrypt_block(block.into()),
                (Algorithm::Ecb, Direction::Decrypt) => self.cipher.decrypt_block(block.into()),
                (Algorithm::Cbc, Direction::Encrypt) => {
                    add(block, &self.previous);
                    self.cipher.encrypt_block(block.into());
                    self.previous = *block;
                }
                (Algorithm::Cbc, Direction::Decrypt) => {
                    self.cipher.decrypt_block(block.into());
                    add(block, &self.previous);
                    self.previous = before;
                }
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.previous.zeroize();
    }
}

fn add(block: &mut [u8; BLOCK_BYTES], other: &[u8; BLOCK_BYTES]) {
    block
        .iter_mut()
        .zip(other)
        .for_each(|(byte, other)| *byte ^= other);
}

fn pad(data: &[u8]) -> Zeroizing<Vec<u8>> {
    let count = BLOCK_BYTES - data.len() % BLOCK_BYTES;
    let mut padded = Zeroizing::new(Vec::with_capacity(data.len() + count));
    padded.extend_from_slice(data);
    padded.resize(data.len() + count, u8::try_from(count).unwrap_or_default());
    padded
}

/// Looks at the whole block whatever its last byte says.
fn unpad(block: &mut Vec<u8>) -> Result<(), Sar> {
    let count = block.last().copied().ok_or(Sar::DecryptPadding)?;
    let length = block
        .len()
        .checked_sub(usize::from(count))
        .ok_or(Sar::DecryptPadding)?;
    let wrong = block[length..]
        .iter()
        .fold(0, |wrong, byte| wrong | (byte ^ count));
    if count == 0 || wrong != 0 {
        return Err(Sar::DecryptPadding);
    }
    block.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GM/T 0002-2012, appendix A; the padded CBC vectors were computed with gmsm.
    const KEY: &str = "0123456789abcdeffedcba9876543210";

    fn run(
        algorithm: Algorithm,
        direction: Direction,
        iv: &str,
        padding: Padding,
        pieces: &[&[u8]],
    ) -> Result<String, Sar> {
        let key: [u8; 16] = hex::decode(KEY).unwrap().try_into().unwrap();
        let parameters = CipherParameters {
            iv: hex::decode(iv).unwrap(),
            padding,
        };
        let mut stream = Stream::new(&key, algorithm, direction, &parameters)?;
        let mut out: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| stream.update(piece).to_vec())
            .collect();
        out.extend_from_slice(&stream.finish()?);
        Ok(hex::encode(out))
    }

    #[test]
    fn the_published_ciphertexts_come_out() {
        let block = hex::decode(KEY).unwrap();
        let ecb = run(Algorithm::Ecb, Direction::Encrypt, "", Padding::None, &[&block]);
        assert_eq!(ecb.as_deref(), Ok("681edf34d206965e86b3e94f536e4246"));
        let cbc = run(
            Algorithm::Cbc,
            Direction::Encrypt,
            KEY,
            Padding::None,
            &[&block, &block],
        );
        assert_eq!(
            cbc.as_deref(),
            Ok("2677f46b09c122cc975533105bd4a22af6125f7275ce552c3a2bbcf533de8a3b")
        );
        let iv = "000102030405060708090a0b0c0d0e0f";
        let padded = |text: &[u8]| run(Algorithm::Cbc, Direction::Encrypt, iv, Padding::Pkcs5, &[text]);
        assert_eq!(padded(b"").as_deref(), Ok("4b910651754b5553f10cfa0c8a09e9e5"));
        assert_eq!(
            padded(b"hello").as_deref(),
            Ok("1342ad943c12b3c9ceb95e227b901d0b")
        );
        assert_eq!(
            padded(b"message digest!!").as_deref(),
            Ok("7edc5d8258d1ce68d251b90dbaabce9aa659f93f3b974eae428f7098d12be4ff")
        );
    }

    #[test]
    fn pieces_of_any_size_give_the_same_as_the_whole() {
        let text: Vec<u8> = (0..77).collect();
        for padding in [Padding::None, Padding::Pkcs5] {
            let text = if padding == Padding::None {
                &text[..64]
            } else {
                &text[..]
            };
            let whole = run(Algorithm::Cbc, Direction::Encrypt, KEY, padding, &[text]).unwrap();
            let cipher = hex::decode(&whole).unwrap();
            for size in 1..text.len() {
                let pieces: Vec<&[u8]> = text.chunks(size).collect();
                assert_eq!(
                    run(Algorithm::Cbc, Direction::Encrypt, KEY, padding, &pieces).as_ref(),
                    Ok(&whole)
                );
                let pieces: Vec<&[u8]> = cipher.chunks(size).collect();
                assert_eq!(
                    run(Algorithm::Cbc, Direction::Decrypt, KEY, padding, &pieces),
                    Ok(hex::encode(text))
                );
            }
        }
    }

    #[test]
    fn wrong_padding_and_broken_blocks_are_refused() {
        let cipher =
            hex::decode(run(Algorithm::Ecb, Direction::Encrypt, "", Padding::None, &[&[0; 16]]).unwrap())
                .unwrap();
        let open = |pieces: &[&[u8]]| run(Algorithm::Ecb, Direction::Decrypt, "", Padding::Pkcs5, pieces);
        assert_eq!(open(&[&cipher]), Err(Sar::DecryptPadding));
        assert_eq!(open(&[&cipher[..15]]), Err(Sar::DataLength));
        assert_eq!(open(&[]), Err(Sar::DataLength));
        let bare = run(Algorithm::Ecb, Direction::Encrypt, "", Padding::None, &[&[0; 15]]);
        assert_eq!(bare, Err(Sar::DataLength));
        let short_iv = run(Algorithm::Cbc, Direction::Encrypt, "00", Padding::None, &[]);
        assert_eq!(short_iv, Err(Sar::InvalidParameter));
    }
}
