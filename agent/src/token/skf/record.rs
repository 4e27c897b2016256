//! Records in the files of an application, so that pulling the token out leaves the old record or the new one.
//!
//! A file is not replaced in one step. So a record has two, `name.0` and `name.1`: the new record is written into the
//! one that does not count, and counts as soon as the other is wiped. While both are whole, the older one counts.
//! Wiping is one call where the record fits into one: what it held, such as a sealed password, is gone with it.
//!
//! | offset | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | `YXR1` |
//! | 4 | 4 | number of the writing, little-endian |
//! | 8 | 4 | length of the record, little-endian |
//! | 12 | 32 | SM3 of number, length and record |
//! | 44 | | the record |
use yinxin_pki::digest::sm3_parts;
use yinxin_skf::{Application, Error, FileRights, StringEncoding, Text};

use crate::token::RECORD_LIMIT_BYTES;

const MAGIC: &[u8; 4] = b"YXR1";
const HEADER_BYTES: usize = 44;
/// Files are made in these steps, so that a record that grows a little needs no new file.
const STEP_BYTES: usize = 1024;
/// What one call reads or writes, unless the device takes less.
const CHUNK_BYTES: usize = 4096;
/// The same for a device that does not say what it takes.
const UNSAID_CHUNK_BYTES: usize = 1024;
/// Less than this no device takes.
const LEAST_CHUNK_BYTES: usize = 128;

/// A record's two files.
pub struct Record<'a> {
    application: &'a Application,
    names: [Text; 2],
    chunk_bytes: usize,
}

/// One of the files, as it is.
struct Slot {
    file_bytes: Option<usize>,
    /// Number of the writing, and the record, if it is whole.
    content: Option<(u32, Vec<u8>)>,
}

impl<'a> Record<'a> {
    /// A record by its name; `buffer_bytes` is what the device says that it takes in one call, or 0.
    pub fn new(application: &'a Application, name: &str, buffer_bytes: u32) -> Self {
        let chunk_bytes = match buffer_bytes as usize {
            0 => UNSAID_CHUNK_BYTES,
            bytes => bytes.clamp(LEAST_CHUNK_BYTES, CHUNK_BYTES),
        };
        Self {
            application,
            // The names are ASCII, in every encoding the same.
            names: [0, 1].map(|slot| Text::new(&format!("{name}.{slot}"), StringEncoding::Auto)),
            chunk_bytes,
        }
    }

    /// Reads it.
    pub fn read(&self) -> Result<Option<Vec<u8>>, Error> {
        let [first, second] = self.slots()?;
        Ok(match counting([&first, &second]) {
            Some(0) => first.content,
            Some(_) => second.content,
            None => None,
        }
        .map(|(_, record)| record))
    }

    /// Replaces it; when this returns the new record counts and the old one is gone.
    pub fn write(&self, record: &[u8]) -> Result<(), Error> {
        let slots = self.slots()?;
        let old = counting([&slots[0], &slots[1]]);
        let target = old.map_or(0, |old| 1 - old);
        let number = old
            .and_then(|old| slots[old].content.as_ref())
            .map_or(1, |(number, _)| number.wrapping_add(1));
        let bytes = encode(number, record);
        if slots[target].file_bytes.is_none_or(|room| room < bytes.len()) {
            if slots[target].file_bytes.is_some() {
                self.application.delete_file(&self.names[target])?;
            }
            // Anyone may read: what is in a record is no secret in clear.
            self.application.create_file(
                &self.names[target],
                bytes.len().next_multiple_of(STEP_BYTES),
                FileRights::Anyone,
                FileRights::User,
            )?;
        }
        self.put(target, &bytes)?;
        if let Some((old, (_, record))) = old.and_then(|old| Some((old, slots[old].content.as_ref()?))) {
            self.put(old, &vec![0; HEADER_BYTES + record.len()])?;
        }
        Ok(())
    }

    fn put(&self, slot: usize, bytes: &[u8]) -> Result<(), Error> {
        let mut offset = 0;
        for chunk in bytes.chunks(self.chunk_bytes) {
            self.application.write_file(&self.names[slot], offset, chunk)?;
            offset += chunk.len();
        }
        Ok(())
    }

    fn slots(&self) -> Result<[Slot; 2], Error> {
        Ok([self.slot(&self.names[0])?, self.slot(&self.names[1])?])
    }

    fn slot(&self, name: &Text) -> Result<Slot, Error> {
        let file_bytes = self.application.file_bytes(name)?;
        let content = match file_bytes {
            Some(room) => self.content(name, room)?,
            None => None,
        };
        Ok(Slot { file_bytes, content })
    }

    fn content(&self, name: &Text, room: usize) -> Result<Option<(u32, Vec<u8>)>, Error> {
        let most = room.min(HEADER_BYTES + RECORD_LIMIT_BYTES);
        let mut bytes = self.application.read_file(name, 0, most.min(self.chunk_bytes))?;
        let Some(whole) = whole_bytes(&bytes).filter(|&whole| whole <= most) else {
            return Ok(None);
        };
        while bytes.len() < whole {
            let wanted = (whole - bytes.len()).min(self.chunk_bytes);
            let more = self.application.read_file(name, bytes.len(), wanted)?;
            if more.is_empty() {
                return Ok(None);
            }
            bytes.extend(more);
        }
        Ok(decode(&bytes[..whole]))
    }
}

/// Which of the two counts: the only one that is whole, or the older one, whose replacement did not come to its end.
fn counting(slots: [&Slot; 2]) -> Option<usize> {
    let number = |slot: &Slot| slot.content.as_ref().map(|(number, _)| *number);
    match (number(slots[0]), number(slots[1])) {
        (Some(first), Some(second)) => Some(usize::from(second.wrapping_add(1) == first)),
        (Some(_), None) => Some(0),
        (None, Some(_)) => Some(1),
        (None, None) => None,
    }
}

fn encode(number: u32, record: &[u8]) -> Vec<u8> {
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes();
    let number = number.to_le_bytes();
    let digest = sm3_parts(&[&number, &length, record]);
    [MAGIC, &number[..], &length, &digest, record].concat()
}

/// How long the file's used part is, if it begins as one.
fn whole_bytes(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let length = rest.get(4..)?.first_chunk()?;
    HEADER_BYTES.checked_add(u32::from_le_bytes(*length) as usize)
}

fn decode(bytes: &[u8]) -> Option<(u32, Vec<u8>)> {
    let (header, record) = bytes.split_at_checked(HEADER_BYTES)?;
    let (number, length, digest) = (&header[4..8], &header[8..12], &header[12..]);
    if sm3_parts(&[number, length, record]) != digest {
        return None;
    }
    Some((u32::from_le_bytes(*number.first_chunk()?), record.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_not_whole_does_not_count() {
        let bytes = encode(7, b"record");
        assert_eq!(whole_bytes(&bytes), Some(bytes.len()));
        assert_eq!(decode(&bytes), Some((7, b"record".to_vec())));
        for place in 4..bytes.len() {
            let mut torn = bytes.clone();
            torn[place] ^= 1;
            assert_eq!(decode(&torn), None, "{place}");
        }
        assert_eq!(whole_bytes(&[0; 64]), None);
        assert_eq!(whole_bytes(&bytes[..9]), None);
    }

    #[test]
    fn of_two_whole_records_the_older_counts() {
        let slot = |number: Option<u32>| Slot {
            file_bytes: Some(1024),
            content: number.map(|number| (number, Vec::new())),
        };
        let counts = |first, second| counting([&slot(first), &slot(second)]);
        assert_eq!(counts(Some(1), Some(2)), Some(0));
        assert_eq!(counts(Some(3), Some(2)), Some(1));
        assert_eq!(counts(Some(u32::MAX), Some(0)), Some(0));
        assert_eq!(counts(Some(0), Some(u32::MAX)), Some(1));
        assert_eq!(counts(None, Some(2)), Some(1));
        assert_eq!(counts(None, None), None);
    }
}
