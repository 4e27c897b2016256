//! The functions of GM/T 0016-2012, as C calls them: pointers become values, values become calls of [`Library`], errors become numbers.
//!
//! # Safety
//!
//! One contract for all of them, which is C's: a pointer is NULL or points to what the standard says is there, as long as the length beside it says
//! (a text up to its NUL), and nothing else writes to it meanwhile. NULL is refused where the standard does not allow it. Handles may be any
//! number. Everything that can be checked is: `pointer` reads and writes, everything else here is safe code.
#![allow(unsafe_code, non_snake_case, clippy::missing_safety_doc)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
};

use crate::{Library, Sar, Settings};

mod access;
mod application;
mod asymmetric;
mod container;
mod device;
mod file;
mod missing;
mod pointer;
mod symmetric;

pub use access::*;
pub use application::*;
pub use asymmetric::*;
pub use container::*;
pub use device::*;
pub use file::*;
pub use missing::*;
pub use pointer::{In, InBytes, Out, OutBytes, Text};
pub use symmetric::*;

/// `ULONG`: 32 bits on every system, as the standard has it.
pub type Ulong = u32;
/// `BOOL`.
pub type Bool = i32;

/// Declares functions of the standard: each catches what goes wrong inside, and answers with a number.
macro_rules! functions {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) |$library:ident| $body:block)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $name($($argument: $type),*) -> $crate::abi::Ulong {
            $crate::abi::enter(stringify!($name), move |$library| $body)
        }
    )*};
}
pub(crate) use functions;

/// The one library of the process, set up by the first call from the environment.
fn library() -> Result<&'static Library, Sar> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| Settings::from_env().ok().map(Library::new));
    library.as_ref().ok_or(Sar::NotInitialised)
}

/// Runs a call. Nothing of Rust's gets out to C: a panic is this library's fault, `SAR_FAIL`.
fn enter(name: &str, call: impl FnOnce(&Library) -> Result<(), Sar>) -> Ulong {
    // Half a change cannot be left behind: what is kept is stored whole, what is in memory is replaced whole.
    let answer = catch_unwind(AssertUnwindSafe(|| library()?.call(name, call)));
    match answer {
        Ok(Ok(())) => Sar::OK,
        Ok(Err(sar)) => sar.code(),
        Err(_) => Sar::Fail.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure() {
        let directory = tempfile::tempdir().unwrap();
        let library = Library::new(Settings::new(directory.path()));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            library.call::<()>("SKF_EnumDev", |_| panic!("on purpose"))
        }));
        assert!(caught.is_err());
        // The library still works.
        assert_eq!(
            library.call("SKF_EnumDev", |library| library.devices(true)),
            Ok(Vec::new())
        );
        assert_eq!(enter("SKF_EnumDev", |_| panic!("on purpose")), Sar::Fail.code());
    }
}
