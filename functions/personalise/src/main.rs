//! The personalise function's process.
use lambda_runtime::Error;
use yinxin_lambda::serve::{Function, router_of, serve};
use yinxin_personalise::{App, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    serve(Function::new("personalise").http(router_of(routes(app)))).await
}
