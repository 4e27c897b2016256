//! Counts the calls to AWS and the DynamoDB capacity that they take, for budgets and metrics.
//!
//! A function's process serves one invocation at a time, so the counts of the process between two readings are
//! those of one invocation.
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

static CALLS: AtomicU64 = AtomicU64::new(0);
/// Tenths of capacity units: DynamoDB counts reads in halves.
static READ_TENTHS: AtomicU64 = AtomicU64::new(0);
static WRITE_TENTHS: AtomicU64 = AtomicU64::new(0);

/// What was used since the last reading.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Calls to any AWS service.
    pub calls: u64,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
}

/// Counts one call.
pub fn count_call() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// Adds what DynamoDB says it took to read.
pub(crate) fn count_read(capacity: Option<&ConsumedCapacity>) {
    READ_TENTHS.fetch_add(tenths(capacity), Ordering::Relaxed);
}

/// Adds what DynamoDB says it took to write.
pub(crate) fn count_write(capacity: Option<&ConsumedCapacity>) {
    WRITE_TENTHS.fetch_add(tenths(capacity), Ordering::Relaxed);
}

/// Reads the counts and sets them back to nothing.
pub fn take() -> Usage {
    let units = |tenths: &AtomicU64| {
        // Capacity of one invocation is far below 2^32 tenths.
        f64::from(u32::try_from(tenths.swap(0, Ordering::Relaxed)).unwrap_or(u32::MAX)) / 10.0
    };
    Usage {
        calls: CALLS.swap(0, Ordering::Relaxed),
        read_units: units(&READ_TENTHS),
        write_units: units(&WRITE_TENTHS),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "capacity is small and not negative"
)]
fn tenths(capacity: Option<&ConsumedCapacity>) -> u64 {
    let units = capacity
        .and_then(ConsumedCapacity::capacity_units)
        .unwrap_or_default();
    (units * 10.0).round().max(0.0) as u64
}
