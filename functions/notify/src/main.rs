//! The notify function's process.
use lambda_runtime::Error;
use yinxin_lambda::serve::{Function, serve};
use yinxin_notify::{App, Notifying};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    serve(Function::new("notify").batch(Notifying::new(app))).await
}
