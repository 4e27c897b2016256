//! JSON bodies: parsed into checked types at the edge, or refused with a pointer to what is wrong.
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use yinxin_order::form::Contradiction;
use yinxin_order::identifiers::InvalidIdentifier;

use crate::problem::{Code, Problem};

/// The largest body that a call may have, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A JSON body.
pub struct Json<T>(pub T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence != "application/json" {
            return Err(Problem::new(Code::NotJson));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::new(Code::BodyTooLarge))?;
        parse(&body).map(Json)
    }
}

/// Parses a body.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        problem_of(&error.into_inner()).at(&pointer)
    })?;
    reader.end().map_err(|error| problem_of(&error))?;
    Ok(parsed)
}

/// Parsed types put a stable code in front of their sentence; everything else is of serde and may quote values,
/// so that only what names fields is passed on.
fn problem_of(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    if let Some(invalid) = InvalidIdentifier::ALL
        .iter()
        .find(|known| starts_with_code(&text, known.code()))
    {
        return Problem::from(*invalid);
    }
    if let Some(contradiction) = Contradiction::ALL
        .iter()
        .find(|known| starts_with_code(&text, known.code()))
    {
        return Problem::from(*contradiction);
    }
    if error.is_data() {
        Problem::new(Code::BodyShape).because(&shape(&text))
    } else {
        Problem::new(Code::NotJson)
    }
}

fn starts_with_code(text: &str, code: &str) -> bool {
    text.strip_prefix(code).is_some_and(|rest| rest.starts_with(": "))
}

/// What serde says about a shape, where it names fields and not values.
fn shape(text: &str) -> String {
    let names_only = ["missing field", "unknown field", "duplicate field"];
    let sentence = text.split(" at line ").next().unwrap_or(text);
    if names_only.iter().any(|start| sentence.starts_with(start)) {
        sentence.to_owned()
    } else {
        "the value has another type, or is none of the allowed ones".to_owned()
    }
}

/// The place as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
