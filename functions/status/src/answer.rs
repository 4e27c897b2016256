//! Signed bytes as HTTP answers that caches may keep for a moment (RFC 5019, 6.2; RFC 9111).
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use time::{Duration, OffsetDateTime};
use yinxin_pki::sm3;

/// So long a cache may answer in our place. Signed answers hold much longer; a revocation has to be visible within a minute.
pub const MAX_AGE: Duration = Duration::seconds(30);

/// Signed bytes on their way out.
pub struct Signed {
    /// What is sent, DER.
    pub bytes: Vec<u8>,
    /// The media type.
    pub content_type: &'static str,
    /// When it was signed.
    pub this_update: OffsetDateTime,
    /// When it ends.
    pub next_update: OffsetDateTime,
}

impl Signed {
    /// The answer at `now`, or 304 where the caller has it.
    pub fn respond(self, asked: &HeaderMap, now: OffsetDateTime) -> Response {
        let tag = format!("\"{}\"", hex::encode(sm3(&self.bytes)));
        let expires = self.next_update.min(now + MAX_AGE);
        let age = (expires - now).whole_seconds().max(0);
        let headers: [(HeaderName, String); 4] = [
            (
                CACHE_CONTROL,
                format!("max-age={age}, public, no-transform, must-revalidate"),
            ),
            (ETAG, tag.clone()),
            (LAST_MODIFIED, http_date(self.this_update)),
            (EXPIRES, http_date(expires)),
        ];
        let is_known = asked
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|known| known.trim().trim_start_matches("W/") == tag);
        if is_known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(CONTENT_TYPE, self.content_type)], self.bytes).into_response()
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `IMF-fixdate` (RFC 9110, 5.6.7).
fn http_date(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let day = DAYS[usize::from(at.weekday().number_days_from_monday()) % DAYS.len()];
    let month = MONTHS[(usize::from(u8::from(at.month())) + MONTHS.len() - 1) % MONTHS.len()];
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        at.day(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::http_date;

    #[test]
    fn dates_are_those_of_http() {
        // The example of RFC 9110, 5.6.7.
        assert_eq!(
            http_date(datetime!(1994-11-06 08:49:37 UTC)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
        assert_eq!(
            http_date(datetime!(2026-12-31 23:59:59 +8)),
            "Thu, 31 Dec 2026 15:59:59 GMT"
        );
    }
}
