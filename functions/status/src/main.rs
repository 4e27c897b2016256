//! The function `status`.
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, serve};
use yinxin_status::{App, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::from_env().await?;
    serve(Function::new("status").http(router_of(routes(app)))).await
}
