//! A small tree of fields that becomes text for people and JSON for programs.
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

use crate::pages::CHINA;

/// What is shown.
pub enum Shown {
    Text(String),
    Number(usize),
    Flag(bool),
    /// China time in text, UTC in JSON.
    Time(OffsetDateTime),
    List(Vec<Shown>),
    Fields(Vec<Field>),
}

/// A name and what stands there.
pub type Field = (&'static str, Shown);

impl Shown {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    pub fn fields(fields: impl IntoIterator<Item = Field>) -> Self {
        Self::Fields(fields.into_iter().collect())
    }

    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Time(time) => utc(*time).into(),
            Self::List(list) => list.iter().map(Self::to_json).collect(),
            Self::Fields(fields) => fields
                .iter()
                .map(|(name, shown)| ((*name).to_owned(), shown.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn line(&self) -> Option<String> {
        match self {
            // A control character could rewrite lines of the terminal.
            Self::Text(text) => Some(text.chars().filter(|character| !character.is_control()).collect()),
            Self::Number(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(if *flag { "yes" } else { "no" }.to_owned()),
            Self::Time(time) => Some(china(*time)),
            Self::List(list) if list.is_empty() => Some("none".to_owned()),
            Self::List(_) | Self::Fields(_) => None,
        }
    }

    fn write(&self, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        match self {
            Self::Fields(fields) => {
                for (name, shown) in fields {
                    let name = name.replace('_', " ");
                    if let Some(line) = shown.line() {
                        text.extend([&format!("{indent}{name:<26}"), line.as_str(), "\n"]);
                    } else {
                        text.extend([indent.as_str(), &name, "\n"]);
                        shown.write(depth + 1, text);
                    }
                }
            }
            Self::List(list) => {
                for shown in list {
                    if let Some(line) = shown.line() {
                        text.extend([indent.as_str(), "- ", &line, "\n"]);
                    } else {
                        text.extend([indent.as_str(), "-\n"]);
                        shown.write(depth + 1, text);
                    }
                }
            }
            _ => text.extend(self.line().into_iter().chain(["\n".to_owned()])),
        }
    }
}

/// RFC 3339 in UTC.
pub fn utc(time: OffsetDateTime) -> String {
    let utc = time.to_offset(UtcOffset::UTC);
    utc.format(&Rfc3339).unwrap_or_else(|_| utc.to_string())
}

/// Date and time of day in China.
pub fn china(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] (China time)");
    // Times beyond the calendar stay as they are.
    time.checked_to_offset(CHINA)
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_else(|| time.to_string())
}
