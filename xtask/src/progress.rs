//! What a person sees: each step by name, and the time it took.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Runs a step, says what it is before and how long it took after.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
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
