//! The function `payment`.
use yinxin_lambda::serve::router_of;
use yinxin_lambda::{Function, serve};
use yinxin_payment::{App, Errands, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::from_env().await?;
    let errands = Errands::new(app.clone());
    serve(
        Function::new("payment")
            .http(router_of(routes(app)))
            .batch(errands),
    )
    .await
}
