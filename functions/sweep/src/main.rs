//! The function `sweep`.
use yinxin_lambda::{Function, serve};
use yinxin_sweep::Sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Function::new("sweep").batch(Sweep::from_env().await?)).await
}
