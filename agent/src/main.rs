//! The binary `yinxin-agent`.
use std::process::ExitCode;

fn main() -> ExitCode {
    yinxin_agent::cli::run(std::env::args_os())
}
