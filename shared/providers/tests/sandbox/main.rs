//! Each client against the sandbox, which is written in Python from the providers' published protocols alone.
//! Skipped where Python or its packages are missing, unless `REQUIRE_SANDBOX` is set. `YINXIN_PYTHON` names the interpreter;
//! otherwise the repository's `.venv` is looked into, then `python3` is tried.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod bank;
mod calls;
mod identity;
mod inbox;
mod journey;
mod notifications;
mod process;
mod refunds;
mod shop;
mod sms;
