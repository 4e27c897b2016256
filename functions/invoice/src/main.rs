//! The function `invoice`.
use yinxin_invoice::{App, Errands};
use yinxin_lambda::{Function, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::from_env().await?;
    serve(Function::new("invoice").batch(Errands::new(app))).await
}
