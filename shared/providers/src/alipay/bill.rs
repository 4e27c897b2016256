//! The bill of a day: a URL that lives 30 seconds, and behind it a ZIP of CSV files.

mod archive;
mod lines;

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use time::macros::{offset, time};
use time::{Date, OffsetDateTime, Time};

use super::judge::is_no_such_bill;
use super::{Alipay, answer, content};
use crate::http::{Http, Limits, SetupError};
use crate::payments::{BillLine, Doubt, Failure};

/// When the bill of the day before is there, in China.
const READY_AT: Time = time!(9:00);
/// A file of 4 MiB holds some hundred thousand payments.
const DOWNLOAD_LIMITS: Limits = Limits {
    connect: Duration::from_secs(3),
    // The URL lives for 30 seconds.
    total: Duration::from_secs(12),
    answer_bytes: 4 * 1024 * 1024,
};

/// The way to the files, which lie elsewhere than the gateway, and are larger than its answers.
pub(super) fn downloads() -> Result<Http, SetupError> {
    Http::with_limits("alipay", DOWNLOAD_LIMITS)
}

impl Alipay {
    pub(super) async fn fetch_bill(&self, day: Date, now: OffsetDateTime) -> Result<Vec<BillLine>, Failure> {
        let method = "alipay.data.dataservice.bill.downloadurl.query";
        let content = content::Bill::new(day);
        let url = match self.call(method, None, &content, None, now).await {
            Ok(answer::Bill { bill_download_url }) => bill_download_url,
            // A day without payments has no bill. Nor has one whose bill is still being written.
            Err(failure) if is_no_such_bill(&failure) => {
                if is_written(day, now) {
                    return Ok(Vec::new());
                }
                return Err(Doubt::Busy(format!("the bill of {day} is not there yet")).into());
            }
            Err(failure) => return Err(failure),
        };
        if !is_private(&url) {
            return Err(Doubt::Malformed.into());
        }
        // Nothing signs the file: it is Alipay's since the URL is, and TLS names the host.
        let file = self
            .downloads
            .send_repeatable(|| self.downloads.get(&url))
            .await?;
        if file.status != 200 {
            return Err(Doubt::Status(file.status).into());
        }
        let mut bill = Vec::new();
        let mut has_details = false;
        for text in archive::texts(&file.body)? {
            if let Some(details) = lines::read(&text)? {
                has_details = true;
                bill.extend(details);
            }
        }
        if has_details {
            Ok(bill)
        } else {
            Err(Doubt::Malformed.into())
        }
    }
}

/// Whether the bill of a day would be there by now.
fn is_written(day: Date, now: OffsetDateTime) -> bool {
    day.next_day()
        .is_some_and(|next| now >= next.with_time(READY_AT).assume_offset(offset!(+8)))
}

/// Whether nobody on the way can read or change what the URL gives: payers' names stand in it.
fn is_private(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::{is_private, is_written};

    #[test]
    fn a_bill_is_fetched_over_tls_or_not_over_a_network() {
        for url in [
            "https://dwbillcenter.alipay.com/x",
            "http://127.0.0.1:80/x",
            "http://[::1]/x",
            "http://localhost/x",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://dwbillcenter.alipay.com/x",
            "http://127.0.0.1.example.com/x",
            "http://localhost.example.com/x",
            "http://10.0.0.1/x",
            "file:///etc/passwd",
            "ftp://127.0.0.1/x",
            "x",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }

    #[test]
    fn a_bill_is_there_at_nine_in_the_morning_in_china() {
        let day = date!(2024 - 05 - 19);
        assert!(is_written(day, datetime!(2024-05-20 01:00 UTC)));
        assert!(!is_written(day, datetime!(2024-05-20 00:59:59 UTC)));
    }
}
