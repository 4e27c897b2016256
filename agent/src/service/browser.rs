//! How the agent's own pages get in front of the holder: a port, so that tests open no window.
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::private_file;

/// Opens addresses of the agent's own pages.
pub trait Browser: Send + Sync {
    /// Opens an address, without waiting for anything.
    fn open(&self, address: &str) -> io::Result<()>;
}

/// The browser that the holder's system opens addresses with.
pub struct SystemBrowser;

/// Prints each address on a line of its own and opens nothing: for tests, and for computers without a desktop.
pub struct PrintPages {
    file: Option<PathBuf>,
}

impl PrintPages {
    /// To a file, or to standard output.
    pub fn to(file: Option<PathBuf>) -> Self {
        Self { file }
    }
}

impl Browser for SystemBrowser {
    fn open(&self, address: &str) -> io::Result<()> {
        let mut command = if cfg!(target_os = "windows") {
            let mut command = Command::new("rundll32");
            command.arg("url.dll,FileProtocolHandler");
            command
        } else if cfg!(target_os = "macos") {
            Command::new("open")
        } else {
            Command::new("xdg-open")
        };
        let mut child = command
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // Somebody has to wait for it, or it stays in the process table.
        std::thread::Builder::new().spawn(move || child.wait()).map(drop)
    }
}

impl Browser for PrintPages {
    fn open(&self, address: &str) -> io::Result<()> {
        if let Some(path) = &self.file {
            let mut file =
                private_file::open_for_writing(OpenOptions::new().append(true).create(true), path)?;
            return writeln!(file, "{address}");
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{address}")?;
        stdout.flush()
    }
}
