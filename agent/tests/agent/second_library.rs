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
    if waits == Waits::No {
        compiler.arg("-DCANNOT_WAIT");
    }
    let output = compiler.output().expect("a C compiler is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    profile(directory, "second", &directory.join("libsecond.so"))
}

/// Writes a profile.
pub fn profile(directory: &Path, name: &str, library: &Path) -> PathBuf {
    let path = directory.join(name).with_extension("toml");
    let text = format!("name = '{name}'\nlibrary = '{}'\n", library.display());
    yinxin_keep::private_file::replace(&path, text.as_bytes()).unwrap();
    path
}
