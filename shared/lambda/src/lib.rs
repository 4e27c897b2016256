//! What every function does the same way: configuration, callers, problem answers, queue batches, telemetry.
pub mod caller;
pub mod codes;
pub mod idempotency;
pub mod json;
pub mod platform;
pub mod problem;
pub mod serve;
pub mod session;
pub mod settings;
pub mod telemetry;
pub mod views;

pub use caller::Bearer;
pub use json::Json;
pub use platform::Platform;
pub use problem::Problem;
pub use serve::{Batch, Function, serve};
pub use settings::Settings;
