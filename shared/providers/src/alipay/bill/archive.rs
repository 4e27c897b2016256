//! The texts of a bill's ZIP: few, bounded, decoded.

use std::borrow::Cow;
use std::io::{Cursor, Read as _};

use encoding_rs::GB18030;
use zip::ZipArchive;

use crate::payments::Doubt;

/// Real bills hold the details and the totals.
pub(super) const MAX_FILES: usize = 16;
/// Of all files together, decompressed.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The files of an archive as text, whatever their names are: those may be in any encoding.
pub(super) fn texts(archive: &[u8]) -> Result<Vec<String>, Doubt> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|_| Doubt::Malformed)?;
    if archive.len() > MAX_FILES {
        return Err(Doubt::Malformed);
    }
    let mut left = MAX_BYTES;
    let mut texts = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|_| Doubt::Malformed)?;
        let mut bytes = Vec::new();
        // The size in the archive's directory is a claim: what comes out counts.
        let read = file.take(left + 1).read_to_end(&mut bytes);
        let read = read.map_err(|_| Doubt::Malformed)?;
        left = u64::try_from(read)
            .ok()
            .and_then(|read| left.checked_sub(read))
            .ok_or(Doubt::Malformed)?;
        texts.push(text(&bytes).into_owned());
    }
    Ok(texts)
}

/// The encoding is nowhere stated. Chinese in GB18030 is hardly ever valid UTF-8, so that is tried first.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
        Err(_) => GB18030.decode(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::{MAX_BYTES, MAX_FILES, texts};
    use crate::payments::Doubt;

    fn archive(files: &[&[u8]]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (index, file) in files.iter().enumerate() {
            writer
                .start_file(index.to_string(), SimpleFileOptions::default())
                .unwrap();
            writer.write_all(file).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn texts_are_read_in_either_encoding() {
        let gb18030: &[u8] = &[0xbd, 0xbb, 0xd2, 0xd7];
        let with_mark = "\u{feff}交易".as_bytes();
        let read = texts(&archive(&[gb18030, "交易".as_bytes(), with_mark])).unwrap();
        assert_eq!(read, ["交易", "交易", "交易"]);
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let whole = archive(&[&[b'x'; 1000]]);
        for broken in [&b""[..], b"<html>", &whole[..whole.len() / 2], &whole[10..]] {
            assert!(matches!(texts(broken), Err(Doubt::Malformed)));
        }
        let mut damaged = whole.clone();
        damaged[35] ^= 0xff;
        assert!(matches!(texts(&damaged), Err(Doubt::Malformed)));
    }

    #[test]
    fn many_files_are_refused() {
        let file: &[u8] = b"x";
        assert!(texts(&archive(&[file; MAX_FILES])).is_ok());
        let many = texts(&archive(&[file; MAX_FILES + 1]));
        assert!(matches!(many, Err(Doubt::Malformed)));
    }

    #[test]
    fn what_swells_beyond_the_limit_is_refused() {
        let half = vec![b' '; usize::try_from(MAX_BYTES / 2).unwrap()];
        let bomb = archive(&[&half, &half, b" "]);
        assert!(bomb.len() < 1024 * 1024);
        assert!(matches!(texts(&bomb), Err(Doubt::Malformed)));
        assert!(texts(&archive(&[&half, &half])).is_ok());
    }
}
