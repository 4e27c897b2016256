use reqwest::header::HeaderValue;

use super::*;

fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
        .collect()
}

#[test]
fn a_retry_is_read_as_seconds_or_date_and_stays_within_limits() {
    let after = |pairs: &[(HeaderName, &'static str)]| retry_after(&headers(pairs)).as_secs();
    assert_eq!(after(&[(RETRY_AFTER, "90")]), 90);
    assert_eq!(after(&[(RETRY_AFTER, "0")]), 1);
    assert_eq!(after(&[(RETRY_AFTER, "99999999999")]), 86_400);
    assert_eq!(after(&[(RETRY_AFTER, "soon")]), 60);
    assert_eq!(after(&[]), 60);
    let date = [
        (RETRY_AFTER, "Wed, 25 Nov 2026 10:05:00 GMT"),
        (DATE, "Wed, 25 Nov 2026 10:00:00 GMT"),
    ];
    assert_eq!(after(&date), 300);
}

#[test]
fn base64_may_have_line_ends_and_der_may_come_plain() {
    assert_eq!(decode(b"AQ\r\nID\n").unwrap_or_default().as_slice(), [1, 2, 3]);
    assert_eq!(decode(&[0x30, 0]).unwrap_or_default().as_slice(), [0x30, 0]);
    assert!(decode(b"?").is_err());
}
