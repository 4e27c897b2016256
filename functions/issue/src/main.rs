//! The issue function's process.
use lambda_runtime::Error;
use yinxin_issue::{App, Issuing};
use yinxin_lambda::serve::{Function, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    serve(Function::new("issue").batch(Issuing::new(app))).await
}
