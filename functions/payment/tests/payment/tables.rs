//! A table that is throttled, or whose answer is lost after it wrote.
use std::collections::VecDeque;
use std::sync::Mutex;

use yinxin_store::StoreError;
use yinxin_store::memory::saves::Interruptions;

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
}

impl Tables {
    fn refuses(&self, trouble: Trouble) -> Result<(), StoreError> {
        if *self.now.lock().unwrap() == trouble {
            return Err(StoreError::unavailable(std::io::Error::other("throttled")));
        }
        Ok(())
    }
}

impl Interruptions for Tables {
    fn before_save(&self) -> Result<(), StoreError> {
        let next = self.troubles.lock().unwrap().pop_front();
        *self.now.lock().unwrap() = next.unwrap_or_default();
        self.refuses(Trouble::Throttled)
    }

    fn after_save(&self) -> Result<(), StoreError> {
        self.refuses(Trouble::AnswerLost)
    }
}
