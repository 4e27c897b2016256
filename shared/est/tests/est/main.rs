//! A vendor's CA over EST: adapter and kit against the sandbox's vendor, which is written in Python from the standards.
//! Skipped where Python or its packages are missing, unless `REQUIRE_SANDBOX` is set. `YINXIN_PYTHON` names the interpreter;
//! otherwise the repository's `.venv` is looked into.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod adapter;
mod kit;
mod parsers;
mod records;
mod vendor;
