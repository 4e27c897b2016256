//! What the agent and the software UKeys keep on a disk: files for their owner alone, and bytes under a PIN.
pub mod private_file;
pub mod vault;
