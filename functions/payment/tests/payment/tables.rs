//! A table that is throttled, or whose answer is lost after it wrote.
use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

use yinxin_store::StoreError;
use yinxin_store::memory::saves::Interruptions;

/// What is told of a write that met trouble.
pub const THROTTLED: &str = "a write was throttled";
pub const ANSWER_LOST: &str = "the answer to a write was lost";

/// What goes wrong with one write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    #[default]
    None,
    /// Nothing is written.
    Throttled,
    /// Everything is written, and nobody hears of it.
    AnswerLost,
}

/// The trouble that the orders of a store are in.
#[derive(Default)]
pub struct Tables {
    /// What goes wrong with the next writes, first to last.
    pub troubles: Mutex<VecDeque<Trouble>>,
    /// With the one that is being made.
    now: Mutex<Trouble>,
    /// What did go wrong.
    pub met: Mutex<BTreeSet<&'static str>>,
}

impl Tables {
    fn refuses(&self, trouble: Trouble, told: &'static str) -> Result<(), StoreError> {
        if *self.now.lock().unwrap() == trouble {
            self.met.lock().unwrap().insert(told);
            return Err(StoreError::unavailable(std::io::Error::other("throttled")));
        }
        Ok(())
    }
}

impl Interruptions for Tables {
    fn before_save(&self) -> Result<(), StoreError> {
        let next = self.troubles.lock().unwrap().pop_front();
        *self.now.lock().unwrap() = next.unwrap_or_default();
        self.refuses(Trouble::Throttled, THROTTLED)
    }

    fn after_save(&self) -> Result<(), StoreError> {
        self.refuses(Trouble::AnswerLost, ANSWER_LOST)
    }
}
