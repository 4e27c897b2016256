//! The notify function's process.
use lambda_runtime::Error;
use yinxin_lambda::serve::{Function, router_of, serve};
use yinxin_notify::{App, Notifying, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    let notifying = Notifying::new(app.clone());
    serve(
        Function::new("notify")
            .http(router_of(routes(app)))
            .batch(notifying),
    )
    .await
}
