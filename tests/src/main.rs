//! The binary `journey`: the demonstration on a running stack.
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments != ["demo"] {
        eprintln!(
            "usage: journey demo\n\nLets one unit and one person order a certificate; results in target/demo/."
        );
        return ExitCode::from(64);
    }
    match yinxin_tests::demo::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
