//! The function `courier`.
use yinxin_courier::{App, Errands, routes};
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::from_env().await?;
    let errands = Errands::new(app.clone());
    serve(
        Function::new("courier")
            .http(router_of(routes(app)))
            .batch(errands),
    )
    .await
}
