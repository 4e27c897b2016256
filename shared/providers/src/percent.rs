//! RFC 3986 percent-encoding, as both Alipay's and Aliyun's canonical forms want it: a space is `%20`.

use std::fmt::Write as _;

/// Encodes all but the unreserved characters of RFC 3986, 2.3.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a String never fails");
        }
    }
    encoded
}

/// `k=v` pairs sorted by key, both encoded, joined by `&`.
pub(crate) fn sorted_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> String {
    let mut encoded: Vec<(String, String)> = pairs
        .iter()
        .map(|(key, value)| (encode(key.as_ref()), encode(value.as_ref())))
        .collect();
    encoded.sort();
    encoded
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::{encode, sorted_pairs};

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(
            encode("aZ9-_.~ *+/=&%张"),
            "aZ9-_.~%20%2A%2B%2F%3D%26%25%E5%BC%A0"
        );
    }

    #[test]
    fn pairs_are_sorted_by_key() {
        assert_eq!(sorted_pairs(&[("b", "2 3"), ("a", "1")]), "a=1&b=2%203");
    }
}
