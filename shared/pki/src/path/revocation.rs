//! Stub.
use super::Chain;
use super::Session;
use super::report::Checks;
impl Session<'_> {
    /// Stub.
    pub(super) fn check_revocation(
        &mut self,
        _chain: &Chain,
        _pending: &mut Vec<usize>,
        _checks: &mut Checks,
    ) -> Vec<String> {
        Vec::new()
    }
}
