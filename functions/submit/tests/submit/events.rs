//! The sample events of `events/`, through the function as Lambda calls it.
use serde_json::Value;
use yinxin_lambda::Function;
use yinxin_order::form::sample;

use crate::world::World;

#[tokio::test]
async fn the_sample_request_creates_an_order() {
    let world = World::new().await;
    // The sample names this captcha.
    let captcha = world.captcha().await;
    let mut event: Value =
        serde_json::from_str(include_str!("../../../../events/http-submit-order.json")).unwrap();
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        body["form"],
        serde_json::to_value(sample::unit(1)).unwrap(),
        "the sample is synthetic"
    );
    body["captcha"] = captcha;
    event["body"] = body.to_string().into();
    let function = Function::new("submit").http(world.router());
    let answer = function.answer(event, true).await.unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["price_fen"], 22_000);
}
