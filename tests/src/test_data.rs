//! What no log may hold: everything personal or secret that journeys used, kept beside the stack's logs so that
//! a later test can look for it.
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::World;

const FILE: &str = "test-data.jsonl";
/// Members of a form that name nobody: choices, places and versions.
const IMPERSONAL: [&str; 13] = [
    "subject",
    "method",
    "type",
    "seal_type",
    "province",
    "city",
    "bank",
    "bank_province",
    "bank_city",
    "department",
    "privacy_policy",
    "risk_notice",
    "role",
];

/// One value that no log may hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Datum {
    /// What it is.
    pub what: String,
    /// The value.
    pub value: String,
}

impl Datum {
    /// A value.
    pub fn new(what: &str, value: &str) -> Datum {
        Datum {
            what: what.to_owned(),
            value: value.to_owned(),
        }
    }

    /// Whether a log line holds the value. Short codes may stand in longer numbers by chance, so they count only
    /// where nothing that could belong to a number or word stands beside them.
    pub fn stands_in(&self, line: &str) -> bool {
        const SHORT: usize = 8;
        let alone = |at: usize| {
            let joins = |character: char| character.is_ascii_alphanumeric() || "._-+/=".contains(character);
            let before = line[..at].chars().next_back();
            let after = line[at + self.value.len()..].chars().next();
            !before.is_some_and(joins) && !after.is_some_and(|next| next.is_ascii_alphanumeric())
        };
        let short = self.value.len() < SHORT;
        line.match_indices(&self.value).any(|(at, _)| !short || alone(at))
    }
}

/// Everything in a form that names somebody.
pub fn of_form(form: &Value) -> Vec<Datum> {
    let mut found = Vec::new();
    collect("form", form, &mut found);
    found
}

fn collect(name: &str, value: &Value, found: &mut Vec<Datum>) {
    match value {
        Value::String(text) if !IMPERSONAL.contains(&name) => found.push(Datum::new(name, text)),
        Value::Object(members) => {
            for (name, member) in members {
                collect(name, member, found);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| collect(name, member, found)),
        _ => {}
    }
}

fn path(world: &World) -> PathBuf {
    world.directory.join(FILE)
}

/// Remembers values.
pub fn remember(world: &World, data: &[Datum]) -> Result<()> {
    let mut lines = String::new();
    for datum in data {
        lines.push_str(&serde_json::to_string(datum)?);
        lines.push('\n');
    }
    let path = path(world);
    // One write of whole lines: tests append at the same time.
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(lines.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// All values that were remembered.
pub fn all(world: &World) -> Result<Vec<Datum>> {
    let path = path(world);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut data = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Datum>, _>>()?;
    let mut seen = std::collections::HashSet::new();
    data.retain(|datum| seen.insert(datum.clone()));
    Ok(data)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_short_code_inside_a_longer_number_is_no_find() {
        let code = Datum::new("code", "482913");
        assert!(code.stands_in(r#"{"code":"482913"}"#));
        assert!(code.stands_in("the code is 482913."));
        assert!(!code.stands_in(r#"{"duration_ms":1.482913}"#));
        assert!(!code.stands_in("2026112314829130"));
    }

    #[test]
    fn a_long_value_is_found_anywhere() {
        assert!(Datum::new("mobile", "19900000001").stands_in("x19900000001y"));
    }

    #[test]
    fn choices_are_not_personal() {
        let form =
            json!({"subject": "unit", "handler": {"name": "欧阳", "id_document": {"type": "passport"}}});
        assert_eq!(of_form(&form), [Datum::new("name", "欧阳")]);
    }
}
