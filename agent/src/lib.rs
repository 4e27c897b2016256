//! Signer agent.
