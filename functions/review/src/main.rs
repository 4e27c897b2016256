//! The function `review`.
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, serve};
use yinxin_review::{App, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::from_env().await?;
    serve(Function::new("review").http(router_of(routes(app)))).await
}
