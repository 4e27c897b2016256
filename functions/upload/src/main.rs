//! The upload function's process.
use lambda_runtime::Error;
use yinxin_lambda::serve::{Function, router_of, serve};
use yinxin_upload::{App, Arrivals, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    let arrivals = Arrivals::new(app.platform.clone());
    let function = Function::new("upload")
        .http(router_of(routes(app)))
        .batch(arrivals);
    serve(function).await
}
