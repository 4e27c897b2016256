//! Files that only their owner may read or change: tokens, PIN files, session files, the configuration, what the service keeps.
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
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

/// Refuses a directory in which others could replace files.
pub fn check_directory(path: &Path) -> Result<(), ReadError> {
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ReadError::Missing(path.to_owned()),
        _ => ReadError::Io {
            path: path.to_owned(),
            source,
        },
    })?;
    refuse_mode(path, &metadata, 0o022, 0o700)
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

/// Makes a directory, and what is missing above it, for its owner alone.
pub fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file for writing, made for its owner alone when it is new.
pub fn open_for_writing(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.write(true).open(path)
}

/// Replaces a file as one step: after a crash it holds the old bytes or the new ones, and when this returns the
/// new ones are on the disk. The caller sees to it that there is one writer at a time.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_added_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = open_for_writing(OpenOptions::new().create_new(true), &fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    // The new name is itself data, of the directory.
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
    #[test]
    fn a_write_that_died_before_the_rename_leaves_the_old_bytes_and_does_not_stop_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sites.json");
        replace(&path, b"old").unwrap();
        fs::write(directory.path().join("sites.json.new"), b"half").unwrap();
        assert_eq!(read(&path, 64).unwrap().as_slice(), b"old");
        replace(&path, b"new").unwrap();
        assert_eq!(read(&path, 64).unwrap().as_slice(), b"new");
    }
}
