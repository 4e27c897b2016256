//! The function `relay`.
use yinxin_lambda::{Function, serve};
use yinxin_relay::Relay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Function::new("relay").batch(Relay::from_env().await?)).await
}
