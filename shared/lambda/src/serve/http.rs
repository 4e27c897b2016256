//! HTTP requests of API Gateway (payload format 2.0), answered by an axum router.
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body as LambdaBody;
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing::{info, warn};
use utoipa_axum::router::OpenApiRouter;

use crate::json::MAX_BODY_BYTES;
use crate::problem::{Code, Problem};
use crate::telemetry::Measure;

/// The largest answer that API Gateway carries.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// The router behind documented routes: with body limit and problem answers for what has no route.
pub fn router_of(routes: OpenApiRouter) -> axum::Router {
    let (answering, _) = routes.split_for_parts();
    answering
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .fallback(|| async { Problem::new(Code::NoSuchRoute) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
}

pub(super) async fn answer(router: axum::Router, event: Value, function: &'static str, cold: bool) -> Value {
    let measure = Measure::begin(function, cold);
    let route = event
        .get("routeKey")
        .and_then(Value::as_str)
        .unwrap_or("$default")
        .to_owned();
    let response = match serde_json::from_value::<ApiGatewayV2httpRequest>(event)
        .map_err(drop)
        .and_then(request)
    {
        Ok(request) => {
            let Ok(response) = router.oneshot(request).await;
            response
        }
        Err(()) => Problem::new(Code::ParameterInvalid).into_response(),
    };
    let status = response.status();
    if status.is_server_error() {
        warn!(
            route,
            status = status.as_u16(),
            "{route} was answered with {status}"
        );
    } else {
        info!(
            route,
            status = status.as_u16(),
            "{route} was answered with {status}"
        );
    }
    measure.end(&route, status.as_str());
    answer_of(response).await
}

fn request(event: ApiGatewayV2httpRequest) -> Result<Request<Body>, ()> {
    let path = event.raw_path.unwrap_or_else(|| "/".to_owned());
    let uri = match event.raw_query_string.filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let body = match event.body {
        Some(text) if event.is_base64_encoded => STANDARD.decode(text).map_err(drop)?,
        Some(text) => text.into_bytes(),
        None => Vec::new(),
    };
    let mut request = Request::builder()
        .method(event.request_context.http.method)
        .uri(uri);
    for (name, value) in &event.headers {
        request = request.header(name, value);
    }
    request.body(Body::from(body)).map_err(drop)
}

async fn answer_of(response: Response) -> Value {
    let (mut parts, body) = response.into_parts();
    // Answers hold personal data: nobody on the way keeps them.
    parts
        .headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    parts
        .headers
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let Ok(bytes) = to_bytes(body, MAX_ANSWER_BYTES).await else {
        return json!({"statusCode": StatusCode::INTERNAL_SERVER_ERROR.as_u16()});
    };
    let (body, is_base64_encoded) = match String::from_utf8(bytes.to_vec()) {
        Ok(text) => (LambdaBody::Text(text), false),
        Err(binary) => (LambdaBody::Binary(binary.into_bytes()), true),
    };
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.headers = parts
        .headers
        .into_iter()
        .filter_map(|(name, value)| Some((name?, value)))
        .collect::<Vec<(HeaderName, HeaderValue)>>()
        .into_iter()
        .collect();
    answer.body = Some(body);
    answer.is_base64_encoded = is_base64_encoded;
    serde_json::to_value(answer).unwrap_or_else(|_| json!({"statusCode": 500}))
}
