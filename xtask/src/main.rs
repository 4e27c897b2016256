//! `cargo xtask`: brings up the local cloud, runs the demonstration, the tests and the lints. Orchestration only.

mod checks;
mod constant_time;
mod differential;
mod fuzz;
mod interrupt;
mod local;
mod package;
mod progress;
mod project;
mod stack;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>

  up [--port PORT] [--detach] [--fresh]
                 start the local cloud, deploy everything, print the addresses; Ctrl-C stops it.
                 A running one is updated. --detach returns and leaves it running;
                 --fresh starts without the data of earlier runs
  down           stop what `up --detach` or `demo` left running
  demo           run one unit's and one person's order through every step; results in target/demo/
  test [--interop] [FILTER]
                 unit tests, template rules, then the journeys on a local cloud of their own;
                 --interop adds the comparisons with other implementations, FILTER picks journeys
  lint           formatting, clippy, documentation, template, licences
  sandbox [--port PORT] [OPTIONS OF init]
                 only the outside world, until Ctrl-C: payment providers, SMS, identity checks, mail, bank and the like,
                 for a platform that runs elsewhere; prints addresses and where the matching secrets are
  ca init|rotate|list|renew|withdraw|grant [OPTIONS]
                 certificate authorities of the running local cloud; `ca --help` lists the options
  fmt            format the code
  generate       write what is generated from the code: OpenAPI document, problem types, states of an order
  bench          run the benchmarks
  package        the agent as a Debian package in target/package, checked and started once
  differential [--pairs N] [--seed TEXT]
                 a million SM2 signatures judged by OpenSSL and BouncyCastle, and theirs by us: minutes
  fuzz [--seconds N] [TARGET]
                 give each parser, or one, inputs that search for a panic, 20 seconds each; needs a nightly compiler
  constant-time  valgrind watches that nothing in the SM2 arithmetic branches on a secret

Examples:
  cargo xtask up --port 5000
  cargo xtask sandbox --port 4600 --wechat sm --alipay certificate
  cargo xtask test payment
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match interrupt::watch().and_then(|()| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((command, rest)) = words.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    match (*command, rest) {
        ("up", rest) => local::up(&up_options(rest)?),
        ("down", []) => local::down(),
        ("demo", []) => local::demo(),
        ("sandbox", rest) => local::sandbox(rest),
        ("ca", rest) => local::ca(rest),
        ("test", rest) => {
            let filters: Vec<&str> = rest.iter().copied().filter(|word| *word != "--interop").collect();
            checks::test(rest.contains(&"--interop"), &filters)
        }
        ("lint", []) => checks::lint(),
        ("fmt", []) => checks::format(),
        ("generate", []) => checks::generate(),
        ("bench", rest) => checks::bench(rest),
        ("package", []) => package::run(),
        ("constant-time", []) => constant_time::run(),
        ("fuzz", rest) => fuzz::run(&fuzz::Options::parse(rest)?),
        ("differential", rest) => differential::run(&differential::Options::parse(rest)?),
        ("help" | "-h" | "--help", _) => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!(
            "`cargo xtask {}` is not a command; `cargo xtask help` lists them",
            words.join(" ")
        ),
    }
}

fn up_options(words: &[&str]) -> Result<local::Options> {
    let mut options = local::Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--detach" => options.detach = true,
            "--fresh" => options.fresh = true,
            "--port" => match words.next().map(|value| value.parse::<u16>()) {
                Some(Ok(port)) if port >= 1024 => options.port = Some(port),
                _ => bail!("--port takes a number from 1024 to 65535"),
            },
            other => bail!("`up` does not know {other}; `cargo xtask help` lists its options"),
        }
    }
    Ok(options)
}
