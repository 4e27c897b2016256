//! `token watch`: says which UKeys come and go, until Ctrl-C.
use std::{
    io::{self, Write as _},
    sync::mpsc,
};

use serde_json::{Value, json};

use super::{failure::Failure, output::Output};
use crate::token::{
    TokenLibraries,
    libraries::watch::{Change, Seen, TokenWatch},
};

pub const EXAMPLES: &str = "\
Examples:
  yinxin-agent token watch
  yinxin-agent token watch --once --json

With --json it prints one object a line: {\"event\":\"watching\"} at first, then \"plugged-in\" and \"pulled-out\".";

/// Why to go on.
enum News {
    Change(Change),
    End,
}

/// Prints each change; with `once` only the first one.
pub fn run(libraries: &TokenLibraries, once: bool, json: bool) -> Result<Output, Failure> {
    let (told, news) = mpsc::channel();
    let ended = told.clone();
    ctrlc::set_handler(move || ended.send(News::End).unwrap_or_default())
        .map_err(|error| Failure::Runtime(io::Error::other(error)))?;
    let watch = TokenWatch::start(libraries, move |change| {
        // Nobody listens any more when the command ends.
        told.send(News::Change(change)).unwrap_or_default();
    });
    let begun = (
        "Watching. Ctrl-C ends it.".to_owned(),
        json!({ "event": "watching" }),
    );
    let mut wants_more = print(&begun, json)?;
    while wants_more && let Ok(News::Change(change)) = news.recv() {
        wants_more = print(&told_of(&change), json)? && !once;
    }
    drop(watch);
    Ok(Output {
        text: String::new(),
        json: Value::Null,
    })
}

fn told_of(change: &Change) -> (String, Value) {
    let (sentence, event, seen) = match change {
        Change::PluggedIn(seen) => ("plugged in ", "plugged-in", seen),
        Change::PulledOut(seen) => ("pulled out ", "pulled-out", seen),
    };
    let Seen {
        library_name,
        device_name,
        identity,
    } = seen;
    let name = identity.as_ref().map_or_else(
        || format!("{device_name}  (it does not say what it is)"),
        |identity| format!("{}  {}", identity.serial, identity.label),
    );
    let line = format!("{sentence} {name}  [{library_name}]");
    let json = json!({
        "event": event,
        "serial": identity.as_ref().map(|identity| &identity.serial),
        "label": identity.as_ref().map(|identity| &identity.label),
        "library": library_name,
        "device": device_name,
    });
    (line, json)
}

/// Prints a line at once; whether somebody still reads.
fn print((line, value): &(String, Value), json: bool) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    let written = if json {
        writeln!(stdout, "{value}")
    } else {
        writeln!(stdout, "{line}")
    };
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Output(error)),
    }
}
