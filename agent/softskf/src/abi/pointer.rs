//! Pointers from C. A value of these types is made by a C caller alone, as an argument of a function of this module's parent, under the contract
//! that is written there; the methods are safe for that reason.
use std::{ptr, slice};

use zeroize::Zeroizing;

use crate::{Delivered, Handle, Sar};

/// A structure to be read, at any address.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct In<T>(*const T);

/// A place for a structure or a number, at any address.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Out<T>(*mut T);

/// Bytes to be read; how many stands beside it.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct InBytes(*const u8);

/// Room for bytes; how much stands beside it, mostly in an `Out<Ulong>`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct OutBytes(*mut u8);

/// A text that ends with a NUL, UTF-8.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text(*const u8);

impl<T: Copy> In<T> {
    /// A copy of it.
    pub fn read(self) -> Result<T, Sar> {
        self.optional().ok_or(Sar::InvalidParameter)
    }

    /// A copy of it; none for NULL.
    pub fn optional(self) -> Option<T> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: not NULL, so it points to a T of plain numbers by the callers' contract; read without regard to alignment.
        Some(unsafe { ptr::read_unaligned(self.0) })
    }

    /// The bytes that begin where it points to.
    pub fn bytes(self) -> InBytes {
        InBytes(self.0.cast())
    }
}

impl<T: Copy> Out<T> {
    /// Refuses NULL before anything is done for which the answer would be lost.
    pub fn check(self) -> Result<Self, Sar> {
        (!self.0.is_null()).then_some(self).ok_or(Sar::InvalidParameter)
    }

    /// Writes it; [`Out::check`] was called, NULL is left alone.
    pub fn write(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so there is room for a T by the callers' contract; written without regard to alignment.
            unsafe { ptr::write_unaligned(self.0, value) }
        }
    }

    /// What stands there.
    pub fn read(self) -> Result<T, Sar> {
        In(self.0.cast_const()).read()
    }

    /// The bytes that begin where it points to.
    pub fn bytes(self) -> OutBytes {
        OutBytes(self.0.cast())
    }
}

impl InBytes {
    /// A copy of so many bytes, within a limit. A copy, because callers work in place: the answer may be written over it.
    pub fn read(self, length: u32, limit: u32) -> Result<Zeroizing<Vec<u8>>, Sar> {
        if length > limit {
            return Err(Sar::DataLength);
        }
        if length == 0 {
            return Ok(Zeroizing::default());
        }
        if self.0.is_null() {
            return Err(Sar::InvalidParameter);
        }
        // SAFETY: not NULL, so so many bytes are there by the callers' contract; the slice ends with this statement.
        Ok(Zeroizing::new(
            unsafe { slice::from_raw_parts(self.0, length as usize) }.to_vec(),
        ))
    }
}

impl OutBytes {
    /// Refuses NULL before anything is done for which the answer would be lost.
    pub fn check(self) -> Result<Self, Sar> {
        (!self.0.is_null()).then_some(self).ok_or(Sar::InvalidParameter)
    }

    /// Writes where the standard gives no length beside it; [`OutBytes::check`] was called, NULL is left alone.
    pub fn write(self, bytes: &[u8]) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so there is room for the answer by the callers' contract; it cannot overlap with what this library owns.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.0, bytes.len()) }
        }
    }

    /// Answers by the convention of two calls: NULL asks for the length, too little room gets the length and an error.
    pub fn deliver(self, room: Out<u32>, bytes: &[u8]) -> Result<Delivered, Sar> {
        let room = room.check()?;
        let length = u32::try_from(bytes.len()).map_err(|_| Sar::Fail)?;
        if self.0.is_null() {
            room.write(length);
            return Ok(Delivered::Length);
        }
        let fits = room.read()? >= length;
        room.write(length);
        if !fits {
            return Err(Sar::BufferTooSmall);
        }
        self.write(bytes);
        Ok(Delivered::Bytes)
    }

    /// Answers with names: each ends with a NUL, the list with another. An empty list has length 0; its end is still written where there is room, for
    /// readers who do not look at the length.
    pub fn deliver_names(self, room: Out<u32>, names: &[String]) -> Result<(), Sar> {
        if names.is_empty() {
            let has_room = !self.0.is_null() && room.check()?.read()? >= 2;
            self.deliver(room, &[])?;
            if has_room {
                self.write(&[0, 0]);
            }
            return Ok(());
        }
        let mut list: Vec<u8> = names.iter().flat_map(|name| name.bytes().chain([0])).collect();
        list.push(0);
        self.deliver(room, &list).map(|_| ())
    }
}

impl Text {
    /// A copy of it; `too_long` where no NUL comes within the limit.
    pub fn read(self, limit_bytes: usize, too_long: Sar) -> Result<Zeroizing<String>, Sar> {
        if self.0.is_null() {
            return Err(Sar::InvalidParameter);
        }
        // Room for all of it from the start: a buffer that grows leaves copies behind, and some of these are PINs.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit_bytes));
        for at in 0..=limit_bytes {
            // SAFETY: not NULL, and no NUL before this byte, so it is still of the text by the callers' contract.
            match unsafe { self.0.add(at).read() } {
                0 => {
                    let text = std::str::from_utf8(&bytes).map_err(|_| Sar::InvalidParameter)?;
                    return Ok(Zeroizing::new(text.to_owned()));
                }
                byte if at < limit_bytes => bytes.push(byte),
                _ => break,
            }
        }
        Err(too_long)
    }
}

/// Hands a handle out; [`Out::check`] was called before it was made.
pub fn hand_out(place: Out<Handle>, handle: Handle) {
    place.write(handle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_an_end_is_not_read_further_than_its_limit() {
        let text = Text(c"123456".as_ptr().cast());
        assert_eq!(text.read(6, Sar::PinLength).unwrap().as_str(), "123456");
        assert_eq!(text.read(5, Sar::PinLength), Err(Sar::PinLength));
        assert_eq!(
            Text(ptr::null()).read(5, Sar::PinLength),
            Err(Sar::InvalidParameter)
        );
        assert_eq!(
            Text(c"\xff".as_ptr().cast()).read(5, Sar::PinLength),
            Err(Sar::InvalidParameter)
        );
    }

    #[test]
    fn the_length_is_told_before_the_bytes_are() {
        let (mut room, mut bytes) = (0_u32, [0_u8; 4]);
        let size = Out(&raw mut room);
        assert_eq!(
            OutBytes(ptr::null_mut()).deliver(size, b"abc"),
            Ok(Delivered::Length)
        );
        assert_eq!(room, 3);
        room = 2;
        assert_eq!(
            OutBytes(bytes.as_mut_ptr()).deliver(size, b"abc"),
            Err(Sar::BufferTooSmall)
        );
        assert_eq!((room, bytes), (3, [0; 4]));
        assert_eq!(
            OutBytes(bytes.as_mut_ptr()).deliver(size, b"abc"),
            Ok(Delivered::Bytes)
        );
        assert_eq!(bytes, *b"abc\0");
        assert_eq!(
            OutBytes(bytes.as_mut_ptr()).deliver(Out(ptr::null_mut()), b"abc"),
            Err(Sar::InvalidParameter)
        );
    }

    #[test]
    fn a_list_of_names_ends_with_two_zeros() {
        let (mut room, mut bytes) = (8_u32, [7_u8; 8]);
        let names = ["ab".to_owned(), "c".to_owned()];
        OutBytes(bytes.as_mut_ptr())
            .deliver_names(Out(&raw mut room), &names)
            .unwrap();
        assert_eq!((room, &bytes[..6]), (6, &b"ab\0c\0\0"[..]));
        OutBytes(bytes.as_mut_ptr())
            .deliver_names(Out(&raw mut room), &[])
            .unwrap();
        assert_eq!((room, &bytes[..2]), (0, &[0, 0][..]));
    }

    #[test]
    fn lengths_above_the_limit_are_refused_before_anything_is_read() {
        let bytes = InBytes(ptr::without_provenance(1));
        assert_eq!(bytes.read(u32::MAX, 4096), Err(Sar::DataLength));
        assert!(bytes.read(0, 4096).unwrap().is_empty());
        assert_eq!(InBytes(ptr::null()).read(1, 4096), Err(Sar::InvalidParameter));
    }
}
