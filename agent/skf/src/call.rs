//! How a function of the library is called: in turn, with checked results, and with lengths that have limits.
use crate::{
    abi::{Bytes, SAR_OK, Ulong},
    error::Error,
};

/// Room behind what a library asked for: some write a NUL or a block more than they say.
const SLACK_BYTES: usize = 64;
/// How often a list may grow while it is read.
const SIZE_TRIES: usize = 3;

/// Calls a function of the library; `Result<(), Error>`.
///
/// The arguments are values, handles that are open, or pointers to memory that lives until the call returns and has
/// the room that the standard's prototype wants. This is the only place where C is called.
macro_rules! call {
    ($shared:expr, $field:ident($($argument:expr),* $(,)?)) => {{
        let symbol = &$shared.functions.$field;
        match symbol.function {
            None => Err($crate::error::Error::missing(symbol.name)),
            Some(function) => {
                let turn = $shared.turn();
                // SAFETY: the prototype is the standard's; the arguments are as the macro's callers must give them.
                #[allow(unsafe_code, reason = "C functions cannot be called otherwise")]
                let code = unsafe { function($($argument),*) };
                drop(turn);
                $crate::call::check(symbol.name, code)
            }
        }
    }};
}
pub(crate) use call;

/// Sorts a return value.
pub fn check(call: &'static str, code: Ulong) -> Result<(), Error> {
    if code == SAR_OK {
        Ok(())
    } else {
        Err(Error::of(call, code))
    }
}

/// What a library answers to a close helps nobody: the handle is not used any more, and its device may be gone.
pub fn closed(_: &Result<(), Error>) {}

/// A number that the library writes or changes. There is room for 64 bits: a library that was built with a wide
/// `ULONG` must not write over what stands beside it, and then the low half still is the number.
#[derive(Default)]
#[repr(align(8))]
pub struct Number([Ulong; 2]);

impl Number {
    pub fn of(length: usize) -> Self {
        Self([Ulong::try_from(length).unwrap_or(Ulong::MAX), 0])
    }

    pub fn pointer(&mut self) -> *mut Ulong {
        self.0.as_mut_ptr()
    }

    pub fn value(&self) -> Ulong {
        self.0[0]
    }

    pub fn length(&self) -> usize {
        self.0[0] as usize
    }
}

/// The length of a buffer as C wants it.
pub fn length(bytes: &[u8]) -> Ulong {
    Ulong::try_from(bytes.len()).unwrap_or(Ulong::MAX)
}

/// Asks for the length first, then for the bytes (GM/T 0016-2012, 6.4: a NULL buffer asks for the length).
pub fn sized(
    name: &'static str,
    limit_bytes: usize,
    mut call: impl FnMut(Bytes, *mut Ulong) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let mut asked = Number::default();
    match call(std::ptr::null_mut(), asked.pointer()) {
        Ok(()) => {}
        // Some say the length this way.
        Err(error) if error.is_too_small() => {}
        Err(error) => return Err(error),
    }
    for _ in 0..SIZE_TRIES {
        let wanted = asked.length();
        if wanted == 0 {
            return Ok(Vec::new());
        }
        if wanted > limit_bytes {
            return Err(Error::misbehaved(name, "a length beyond any use"));
        }
        let mut buffer = vec![0; wanted + SLACK_BYTES];
        asked = Number::of(wanted);
        match call(buffer.as_mut_ptr(), asked.pointer()) {
            Ok(()) if asked.length() <= buffer.len() => {
                buffer.truncate(asked.length());
                return Ok(buffer);
            }
            Ok(()) => return Err(Error::misbehaved(name, "more bytes than it asked room for")),
            Err(error) if error.is_too_small() && asked.length() > wanted => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::misbehaved(name, "a length that changes with each call"))
}

/// Fills a buffer of a known length with one call; the bytes that came.
pub fn filled(
    name: &'static str,
    limit_bytes: usize,
    call: impl FnOnce(Bytes, *mut Ulong) -> Result<(), Error>,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let mut buffer = zeroize::Zeroizing::new(vec![0; limit_bytes + SLACK_BYTES]);
    let mut came = Number::of(limit_bytes);
    call(buffer.as_mut_ptr(), came.pointer())?;
    if came.length() > limit_bytes {
        return Err(Error::misbehaved(name, "more bytes than there was room for"));
    }
    buffer.truncate(came.length());
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::SAR_BUFFER_TOO_SMALL;

    const NAME: &str = "SKF_EnumDev";

    /// A library that writes `bytes`, as C would.
    #[allow(unsafe_code, reason = "stands for C")]
    fn library(bytes: &[u8], too_small: bool) -> impl FnMut(Bytes, *mut Ulong) -> Result<(), Error> {
        move |buffer, size| {
            // SAFETY: `sized` gives a number, and NULL or a buffer of that many bytes.
            unsafe {
                let room = *size as usize;
                *size = length(bytes);
                if buffer.is_null() && !too_small {
                    return Ok(());
                }
                if buffer.is_null() || room < bytes.len() {
                    return Err(Error::of(NAME, SAR_BUFFER_TOO_SMALL));
                }
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len());
            }
            Ok(())
        }
    }

    #[test]
    fn the_length_may_come_with_an_error() {
        for too_small in [false, true] {
            assert_eq!(sized(NAME, 16, library(b"one", too_small)).unwrap(), b"one");
            assert_eq!(sized(NAME, 16, library(b"", too_small)).unwrap(), b"");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_memory_is_spent() {
        let refused = sized(NAME, 2, library(b"one", false));
        assert!(matches!(refused, Err(Error::Misbehaved { .. })));
    }

    #[test]
    fn a_list_that_grows_in_between_is_read_again() {
        let mut lengths = [3, 5, 5].into_iter();
        let bytes = b"one\0\0";
        let mut last = 0;
        let read = sized(NAME, 16, |buffer, size| {
            last = lengths.next().unwrap_or(last);
            library(&bytes[..last], false)(buffer, size)
        });
        assert_eq!(read.unwrap(), bytes);
    }

    #[test]
    #[allow(unsafe_code, reason = "stands for C")]
    fn a_library_that_says_it_wrote_more_than_there_was_room_for_is_not_believed() {
        let lying = |_: Bytes, size: *mut Ulong| {
            // SAFETY: `filled` gives a number.
            unsafe { *size = 5000 };
            Ok(())
        };
        let refused = filled(NAME, 8, lying);
        assert!(matches!(refused, Err(Error::Misbehaved { .. })));
        let mut calls = 0;
        let refused = sized(NAME, 16, |_, size| {
            calls += 1;
            // SAFETY: `sized` gives a number.
            unsafe { *size = if calls == 1 { 8 } else { 5000 } };
            Ok(())
        });
        assert!(matches!(refused, Err(Error::Misbehaved { .. })));
    }
}
