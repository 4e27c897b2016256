//! A process of the local cloud: started with a log file, watched, stopped by its id and only if it is still ours.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::interrupt;
use crate::progress::note;

/// How long a process may take to end by itself: MiniStack saves its state first.
const STOP_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);
const LOG_LINES_SHOWN: usize = 25;

pub struct Process {
    name: String,
    pid: u32,
    /// What the command line must name to be ours, should the id have been given to another process.
    program: String,
    directory: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches only this program, which then stops
    /// it in order. Its command line must name `program` and a path in the stack's `directory`.
    pub fn start(
        name: &str,
        command: &mut Command,
        program: &str,
        directory: &Path,
        log: PathBuf,
    ) -> Result<Self> {
        use std::os::unix::process::CommandExt;

        let output = File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        let errors = output.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let mut process = Self::recorded(name, child.id(), program, directory, log);
        process.child = Some(child);
        Ok(process)
    }

    /// A process that another run of this program started.
    pub fn recorded(name: &str, pid: u32, program: &str, directory: &Path, log: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            pid,
            program: program.to_owned(),
            directory: directory.to_owned(),
            log,
            child: None,
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process runs and is the one that was started.
    pub fn runs(&mut self) -> bool {
        if let Some(child) = &mut self.child {
            return matches!(child.try_wait(), Ok(None));
        }
        // A process that ended but was not waited for has an empty command line.
        let command_line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let command_line = String::from_utf8_lossy(&command_line);
        let words = || command_line.split('\0').map(Path::new);
        words().any(|word| word.file_name().is_some_and(|name| name == self.program.as_str()))
            && words().any(|word| word.starts_with(&self.directory))
    }

    /// Waits until `ready` holds; the end of the process or of the time is an error that shows the log.
    pub fn wait_until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !ready() {
            if interrupt::asked() {
                bail!("interrupted");
            }
            if !self.runs() {
                bail!("{} has ended\n{}", self.name, self.last_lines());
            }
            if started.elapsed() > limit {
                bail!(
                    "{} is not ready after {} s\n{}",
                    self.name,
                    limit.as_secs(),
                    self.last_lines()
                );
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Asks the process to end, waits, and kills it when it does not.
    pub fn stop(&mut self) -> Result<()> {
        if self.runs() {
            signal("TERM", self.pid)?;
            let started = Instant::now();
            while self.runs() && started.elapsed() < STOP_LIMIT {
                std::thread::sleep(POLL);
            }
            if self.runs() {
                note(format!("{} does not end by itself: killing it", self.name));
                signal("KILL", self.pid)?;
            }
        }
        if let Some(child) = &mut self.child {
            child
                .wait()
                .with_context(|| format!("{} cannot be waited for", self.name))?;
        }
        Ok(())
    }

    /// The end of the log, for an error message.
    pub fn last_lines(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
        format!(
            "the last lines of {}:\n  {}",
            self.log.display(),
            lines[from..].join("\n  ")
        )
    }
}

/// Sends a signal by the shell's own `kill`: the standard library has none, and a minimal system may lack the program.
pub fn signal(name: &str, pid: u32) -> Result<()> {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()])
        .status()?;
    if !status.success() && Path::new(&format!("/proc/{pid}")).exists() {
        bail!("process {pid} cannot be stopped: not yours?");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Process {
        fn wait_until_known(&mut self) {
            while !self.runs() {
                std::thread::yield_now();
            }
        }
    }

    fn sleeper(directory: &Path, name: &str) -> Process {
        let mut command = Command::new("sh");
        command
            .args(["-c", "while :; do sleep 1; done", "sleeper"])
            .arg(directory);
        Process::start(
            name,
            &mut command,
            "sleeper",
            directory,
            std::env::temp_dir().join(format!("xtask-{name}.log")),
        )
        .expect("sh starts")
    }

    #[test]
    fn a_process_is_stopped_by_its_id() {
        let directory = Path::new("/nowhere/one");
        let mut started = sleeper(directory, "stopped");
        let mut recorded = Process::recorded(
            "sleeper",
            started.pid(),
            "sleeper",
            directory,
            PathBuf::from("/nowhere/log"),
        );
        // The command line stands in /proc a moment after the start.
        recorded.wait_until_known();
        assert!(started.runs());
        started.stop().expect("it stops");
        assert!(!recorded.runs());
    }

    #[test]
    fn a_process_of_another_stack_is_left_alone() {
        let mut other = sleeper(Path::new("/nowhere/two"), "left");
        let mut ours = Process::recorded(
            "ours",
            other.pid(),
            "sleeper",
            Path::new("/nowhere/three"),
            PathBuf::from("/nowhere/log"),
        );
        ours.stop().expect("there is nothing to stop");
        assert!(other.runs());
        other.stop().expect("it stops");
    }
}
