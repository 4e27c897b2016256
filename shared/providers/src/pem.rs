//! Keys as merchants paste them: a PEM block, or just its base64, with any line ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The bytes of a PEM block or of bare base64.
pub(crate) fn der(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let base64: Zeroizing<String> = Zeroizing::new(
        text.lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("-----"))
            .collect::<Vec<_>>()
            .concat(),
    );
    STANDARD.decode(base64.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::der;

    #[test]
    fn blocks_and_bare_base64_are_the_same_bytes() {
        let block = "-----BEGIN PUBLIC KEY-----\r\nAQID\r\nBAU=\r\n-----END PUBLIC KEY-----\r\n";
        assert_eq!(der(block).unwrap().as_slice(), [1, 2, 3, 4, 5]);
        assert_eq!(der(" AQIDBAU=\n").unwrap().as_slice(), [1, 2, 3, 4, 5]);
        assert!(der("not base64!").is_none());
    }
}
