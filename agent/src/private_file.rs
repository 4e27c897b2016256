//! Files that only their owner may read or change: PIN files, session files, the configuration.
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

/// Why a private file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing there under that name.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// Others on this computer can read or replace it.
    #[error("{} is open to others (mode {mode:03o}): chmod {wanted:03o} it", path.display())]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The permission bits it should have.
        wanted: u32,
    },
    /// Longer than anything that belongs there.
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit that it passed.
        limit: u64,
    },
    /// The system's own refusal.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads at most `limit` bytes of a file that only its owner can read.
pub fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    read_guarded(path, limit, 0o077, 0o600)
}

/// Reads at most `limit` bytes of a file that only its owner can write: others may know what is in it.
pub fn read_trusted(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    read_guarded(path, limit, 0o022, 0o644)
}

fn read_guarded(path: &Path, limit: u64, refused: u32, wanted: u32) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let failed = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ReadError::Missing(path.to_owned()),
        _ => failed(source),
    })?;
    // The open file is judged, not the name: a name can be pointed elsewhere in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    refuse_mode(path, &metadata, refused, wanted)?;
    let too_long = || ReadError::TooLong {
        path: path.to_owned(),
        limit,
    };
    if metadata.len() > limit {
        return Err(too_long());
    }
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(limit).map_err(|_| too_long())? + 1,
    ));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_long());
    }
    Ok(bytes)
}

#[cfg(unix)]
fn refuse_mode(path: &Path, metadata: &fs::Metadata, refused: u32, wanted: u32) -> Result<(), ReadError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & refused == 0 {
        Ok(())
    } else {
        Err(ReadError::Exposed {
            path: path.to_owned(),
            mode,
            wanted,
        })
    }
}

// Elsewhere the profile directory's access list protects the files.
#[cfg(not(unix))]
fn refuse_mode(_: &Path, _: &fs::Metadata, _: u32, _: u32) -> Result<(), ReadError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use yinxin_softskf::private_file::replace;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pins");
        replace(&path, b"123456").unwrap();
        assert_eq!(read(&path, 64).unwrap().as_slice(), b"123456");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            read(&path, 64),
            Err(ReadError::Exposed { mode: 0o640, .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_write_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.toml");
        replace(&path, b"").unwrap();
        for (mode, is_trusted) in [(0o644, true), (0o664, false), (0o646, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_trusted(&path, 64).is_ok(), is_trusted, "{mode:o}");
        }
    }

    #[test]
    fn a_file_longer_than_its_limit_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pins");
        replace(&path, &[b'7'; 65]).unwrap();
        assert!(matches!(
            read(&path, 64),
            Err(ReadError::TooLong { limit: 64, .. })
        ));
        assert!(read(&path, 65).is_ok());
    }
}
