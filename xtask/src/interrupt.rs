//! Ctrl-C and termination: remembered, so that what was started is stopped in order and not left behind.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C does not end this program. The command that it waits for gets it too and ends, which is an error here.
pub fn watch() -> Result<()> {
    ctrlc::set_handler(|| ASKED.store(true, Ordering::SeqCst)).context("Ctrl-C cannot be handled")
}

/// Whether someone wants an end.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
