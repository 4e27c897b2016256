//! A refusal as the platform words it: problem+json (RFC 9457).
use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;

/// Longest text taken from an answer, in characters.
const TEXT_LIMIT: usize = 500;

/// Type, title, detail and status of a refusal, made safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The problem's type, a URI; `about:blank` where the answer was no problem document.
    pub kind: String,
    /// What went wrong, in general.
    pub title: String,
    /// What went wrong this time; may be empty.
    pub detail: String,
    /// HTTP status.
    pub status: u16,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    r#type: Option<String>,
    title: Option<String>,
    detail: Option<String>,
}

impl Problem {
    /// Reads an answer's body; what is no problem document gives the status alone.
    pub fn read(status: StatusCode, body: &[u8]) -> Self {
        let document: Document = serde_json::from_slice(body).unwrap_or_default();
        let reason = || status.canonical_reason().unwrap_or("no reason given").to_owned();
        Self {
            kind: document
                .r#type
                .map_or_else(|| "about:blank".to_owned(), |text| printable(&text)),
            title: document.title.map_or_else(reason, |text| printable(&text)),
            detail: document.detail.map(|text| printable(&text)).unwrap_or_default(),
            status: status.as_u16(),
        }
    }
}

/// Control characters could move the cursor or rewrite lines of the operator's terminal.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(TEXT_LIMIT)
        .collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.title)?;
        if !self.detail.is_empty() {
            write!(formatter, ": {}", self.detail)?;
        }
        write!(formatter, " [{} {}]", self.status, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_title_detail_and_type() {
        let body = br#"{"type":"https://yinxin.example/problems/wrong-state","title":"Wrong state",
            "detail":"the order waits\u001b[2J for review","status":409}"#;
        let problem = Problem::read(StatusCode::CONFLICT, body);
        assert_eq!(
            problem.to_string(),
            "Wrong state: the order waits[2J for review [409 https://yinxin.example/problems/wrong-state]"
        );
    }

    #[test]
    fn an_answer_that_is_no_problem_document_shows_its_status() {
        let problem = Problem::read(StatusCode::FORBIDDEN, b"<html>");
        assert_eq!(problem.to_string(), "Forbidden [403 about:blank]");
    }
}
