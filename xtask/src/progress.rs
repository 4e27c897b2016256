//! What a person sees: each step by name, and the time it took.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::interrupt;

/// Runs a step, says what it is before and how long it took after. After Ctrl-C no further step begins.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if interrupt::asked() {
        bail!("interrupted before: {name}");
    }
    last_step(name, work)
}

/// A step that cleans up, and therefore is done after Ctrl-C too.
pub fn last_step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let started = Instant::now();
    let done = work().with_context(|| format!("{name}: failed after {}", seconds(started.elapsed())))?;
    eprintln!("    {}", seconds(started.elapsed()));
    Ok(done)
}

/// A line under the current step.
pub fn note(text: impl Display) {
    eprintln!("    {text}");
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f32())
}
