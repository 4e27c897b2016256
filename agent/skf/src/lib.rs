//! Smart tokens through a vendor's shared library, loaded at run time: SKF, GM/T 0016-2012 (GB/T 35291-2017).
//!
//! ```text
//! Library ── Device ── Application ── Container
//!    │          │           │             └ two SM2 key pairs, two certificates
//!    │          │           └ PINs, files, containers
//!    │          └ label, serial number, random bytes
//!    └ which devices are there; what is plugged in and pulled out
//! ```
//!
//! Each handle keeps what it was opened on open, and closes when it is dropped. Calls into one library take turns,
//! because the standard does not promise that they may overlap; only waiting for a device overlaps with the others.
//! What differs between vendors stands in a [`Profile`], never in the code that uses it.

mod abi;
mod application;
mod blob;
mod call;
mod container;
mod device;
mod error;
mod library;
mod profile;
mod text;
mod watch;

pub use application::{Application, FileRights, PinKind, PinState};
pub use container::{Container, KeyUse};
pub use device::{Device, DeviceInfo, NewApplication, Version};
pub use error::{Error, Failure, OpenError};
pub use library::{Event, Library};
pub use profile::{Choice, HotPlug, KeyLayout, PinTypes, Profile, ProfileError, SignInput, StringEncoding};
pub use text::Text;
pub use watch::Watch;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
