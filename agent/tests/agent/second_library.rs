//! A second vendor's library: the software token's one under another name, with UKeys in another directory.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::soft_token::library_file;

/// Whether the library has `SKF_WaitForDevEvent`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    Yes,
    No,
    /// It has, and must not be let wait.
    Never,
}

/// Makes it in `directory`, with UKeys in `directory/second`; gives its profile.
pub fn second_library(directory: &Path, waits: Waits) -> PathBuf {
    let copy = directory.join("libcopy.so");
    fs::copy(library_file(), &copy).unwrap();
    let mut compiler = Command::new("cc");
    compiler
        .args([
            "-std=gnu11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-shared",
            "-fPIC",
            "-o",
        ])
        .arg(directory.join("libsecond.so"))
        .arg(format!("-DDIRECTORY=\"{}\"", directory.join("second").display()))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent/c/second.c"))
        .arg(&copy);
    match waits {
        Waits::Yes => {}
        Waits::No => {
            compiler.arg("-DCANNOT_WAIT");
        }
        Waits::Never => {
            compiler.arg("-DWAITS_FOR_EVER");
        }
    }
    let output = compiler.output().expect("a C compiler is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = profile(directory, "second", &directory.join("libsecond.so"));
    if waits == Waits::Never {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + "hot_plug = 'poll'\n").unwrap();
    }
    path
}

/// Writes a profile.
pub fn profile(directory: &Path, name: &str, library: &Path) -> PathBuf {
    let path = directory.join(name).with_extension("toml");
    let text = format!("name = '{name}'\nlibrary = '{}'\n", library.display());
    yinxin_keep::private_file::replace(&path, text.as_bytes()).unwrap();
    path
}
