//! The authorisation to unblock a token: its admin PIN, on its way from the platform.
//!
//! The holder of a locked token does not know its admin PIN, and no page may see it. So the agent gives the page a public key,
//! for one site and one token and a short time; the platform seals the admin PIN to it; the ticket names what came of that.
use std::time::{Duration, Instant};

use yinxin_pki::SigningKey;
use zeroize::Zeroizing;

use super::OperationError;
use crate::{pin::Pin, token::vault::rng};

/// As long as a ticket lives at most.
const LIFE: Duration = Duration::from_mins(10);

/// The key that was given out last; a new one takes its place.
#[derive(Default)]
pub struct Offer(Option<Given>);

struct Given {
    origin: String,
    serial: String,
    key: SigningKey,
    until: Instant,
}

impl Offer {
    /// A fresh key for a site and a token: the public half, `SubjectPublicKeyInfo` in DER.
    pub fn make(&mut self, origin: &str, serial: &str, now: Instant) -> Vec<u8> {
        let key = SigningKey::generate(&mut rng());
        let public = key.public_key().to_spki_der();
        self.0 = Some(Given {
            origin: origin.to_owned(),
            serial: serial.to_owned(),
            key,
            until: now + LIFE,
        });
        public
    }

    /// Opens an admin PIN (DER `SM2Cipher`) that was sealed to the key of this site and this token.
    pub fn open(
        &self,
        origin: &str,
        serial: &str,
        sealed: &[u8],
        now: Instant,
    ) -> Result<Pin, OperationError> {
        let given = self
            .0
            .as_ref()
            .filter(|given| given.origin == origin && given.serial == serial && now < given.until)
            .ok_or(OperationError::Authorisation)?;
        let bytes = given
            .key
            .decrypt(sealed)
            .map_err(|_| OperationError::Authorisation)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| OperationError::Authorisation)?;
        Pin::new(Zeroizing::new(text.to_owned())).map_err(|_| OperationError::Authorisation)
    }

    /// Forgets the key.
    pub fn end(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use yinxin_pki::PublicKey;

    use super::*;

    const ORIGIN: &str = "https://portal.example";

    fn sealed(public: &[u8], pin: &str) -> Vec<u8> {
        let key = PublicKey::from_spki_der(public).unwrap();
        key.encrypt(pin.as_bytes(), &mut rng()).unwrap()
    }

    #[test]
    fn an_admin_pin_opens_for_the_site_and_the_token_of_its_key_and_in_time() {
        let (mut offer, now) = (Offer::default(), Instant::now());
        let admin = sealed(&offer.make(ORIGIN, "YX1", now), "vendor-admin");
        let open = |origin, serial, now| offer.open(origin, serial, &admin, now);
        assert_eq!(open(ORIGIN, "YX1", now).unwrap().reveal(), "vendor-admin");
        assert!(open("https://other.example", "YX1", now).is_err());
        assert!(open(ORIGIN, "YX2", now).is_err());
        assert!(open(ORIGIN, "YX1", now + LIFE).is_err());
    }

    #[test]
    fn what_was_sealed_to_an_earlier_key_or_is_no_pin_does_not_open() {
        let (mut offer, now) = (Offer::default(), Instant::now());
        let earlier = sealed(&offer.make(ORIGIN, "YX1", now), "vendor-admin");
        let public = offer.make(ORIGIN, "YX1", now);
        for (wrong, why) in [
            (earlier, "an earlier key"),
            (sealed(&public, "short"), "too short for a PIN"),
            (b"no cipher".to_vec(), "no cipher"),
        ] {
            assert!(offer.open(ORIGIN, "YX1", &wrong, now).is_err(), "{why}");
        }
        let right = sealed(&public, "vendor-admin");
        assert!(offer.open(ORIGIN, "YX1", &right, now).is_ok());
        offer.end();
        assert!(offer.open(ORIGIN, "YX1", &right, now).is_err());
    }
}
