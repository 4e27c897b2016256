//! A token of GM/T 0016 (SKF) that is a file: what `SoftHSM` is to PKCS#11. `docs/softskf.md` says what it is good for, and for what not.
//!
//! The safe layer is [`Library`]: handles are numbers, bytes are slices, errors are [`Sar`]. `abi` gives it the functions of the standard.
//!
//! | module | what |
//! | --- | --- |
//! | `abi` | the exported functions; all the `unsafe` there is |
//! | `library`, `handles` | one process's handles, faults, plugging |
//! | `device`, `application`, `files`, `container`, `ecc`, `symmetric` | what the calls do, by chapters of the standard |
//! | `document`, `pin`, `store`, the crate `yinxin-keep` | what is kept, under which keys, where, with which locks |
//! | `stream` | SM4 in pieces |

use yinxin_keep::{private_file, vault};

pub mod abi;
mod application;
pub mod blob;
pub mod constants;
mod container;
mod device;
mod document;
mod ecc;
mod events;
mod fault;
mod files;
mod handles;
mod library;
mod make;
mod pin;
mod sar;
mod settings;
mod store;
mod stream;
mod symmetric;

pub use application::{NewApplication, PinInfo};
pub use device::DeviceInfo;
pub use document::{PinKind, Usage};
pub use fault::{Fault, Moment};
pub use files::FileInfo;
pub use handles::Handle;
pub use library::{Delivered, Library};
pub use make::{NewDevice, make_device};
pub use pin::Pin;
pub use sar::Sar;
pub use settings::{BadSettings, Settings, Slow};
pub use stream::{CipherParameters, Padding};
pub use vault::Cost;
