//! New keys for a renewal: a container beside the current one, and the request for its signing key.
use yinxin_pki::{Csr, CsrBuilder, pem};

use super::{
    RenewalError,
    journal::{self, Journal, State, container_of},
};
use crate::{
    operations::OperationError,
    token::{Token, Usage, containers},
};

/// Makes the container and its signing key, or finds what an earlier call made for the same order, and gives the request,
/// PEM. The current certificates stay. The token is logged in.
pub fn request(token: &mut dyn Token, order: &str) -> Result<String, OperationError> {
    let no_certificate = || OperationError::NoCertificate(Usage::Signing);
    let current = token.selected().ok_or_else(no_certificate)?;
    let old = token.certificate(Usage::Signing)?.ok_or_else(no_certificate)?;
    let container = container_of(order);
    match journal::settled(token, order)?.map(|journal| journal.state) {
        Some(State::Beside(_) | State::Switched { .. }) => return Err(RenewalError::Finished.into()),
        Some(State::Requested { container, csr }) if holds_key_of(token, &container, &csr)? => {
            token.select(&current)?;
            return Ok(csr);
        }
        // Its container is there, but its journal is another one's: it was finished, and renewed again since.
        None if token.containers()?.contains(&container) => return Err(RenewalError::Finished.into()),
        Some(State::Begun { .. } | State::Requested { .. }) | None => {}
    }
    token.select(&current)?;
    // From here on there may be two containers: which is current must be written.
    containers::pin_current(token)?;
    let mut journal = Journal {
        order: order.to_owned(),
        state: State::Begun {
            container: container.clone(),
        },
    };
    journal.write(token)?;
    if token.containers()?.contains(&container) {
        token.select(&container)?;
    } else {
        token.create_container(&container)?;
    }
    let key = match token.public_key(Usage::Signing)? {
        Some(key) => key,
        None => token.generate_signing_key()?,
    };
    let csr = CsrBuilder::new(old.subject(), &key).sign_with(|info| token.sign(info))?;
    let csr = pem::encode(pem::CERTIFICATE_REQUEST, &csr);
    journal.state = State::Requested {
        container,
        csr: csr.clone(),
    };
    journal.write(token)?;
    token.select(&current)?;
    Ok(csr)
}

/// Whether the container is there, with the request's key.
fn holds_key_of(token: &mut dyn Token, container: &str, csr: &str) -> Result<bool, OperationError> {
    if !token.containers()?.iter().any(|held| held == container) {
        return Ok(false);
    }
    token.select(container)?;
    let wanted = Csr::from_pem(csr).map_err(|_| RenewalError::Record)?;
    Ok(token.public_key(Usage::Signing)?.as_ref() == Some(wanted.public_key()))
}
