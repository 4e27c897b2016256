//! Random bytes from a seed: SM3 of the seed and a counter. Repeatable, and for comparisons alone.

use std::convert::Infallible;

use yinxin_pki::rand_core::{Rng, TryCryptoRng, TryRng};
use yinxin_pki::sm3;

/// The bytes and how many of them are used.
pub struct Stream {
    seed: Vec<u8>,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    pub fn new(seed: &str) -> Self {
        Self {
            seed: seed.as_bytes().to_vec(),
            counter: 0,
            block: [0; 32],
            used: 32,
        }
    }

    /// A number below the bound, almost evenly.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = self.next_u64() % u64::try_from(bound).unwrap_or(1);
        usize::try_from(number).unwrap_or(0)
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            if self.used == self.block.len() {
                self.block = sm3(&[&self.seed[..], &self.counter.to_be_bytes()].concat());
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for Stream {}
