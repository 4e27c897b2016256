//! docs/agent-security.md names the tests that show what it promises; each of them exists.
const DOCUMENT: &str = include_str!("../../../../docs/agent-security.md");
const SOURCES: &[(&str, &str)] = &[
    ("attacks", include_str!("attacks.rs")),
    ("preflights", include_str!("preflights.rs")),
    ("pairing", include_str!("pairing.rs")),
    ("pages", include_str!("pages.rs")),
    ("pins", include_str!("pins.rs")),
    ("operations", include_str!("operations.rs")),
    ("login", include_str!("login.rs")),
    ("tickets", include_str!("tickets.rs")),
    ("unblocking", include_str!("unblocking.rs")),
    ("writing", include_str!("writing.rs")),
    ("renewing", include_str!("renewing.rs")),
    ("hotplug", include_str!("hotplug.rs")),
    ("program", include_str!("program.rs")),
];

/// The tests in a browser, of `agent/client`. They look for their own rows themselves.
const BROWSER: [(&str, &str); 7] = [
    (
        "calls",
        include_str!("../../../client/test/browser/calls.test.js"),
    ),
    (
        "origins",
        include_str!("../../../client/test/browser/origins.test.js"),
    ),
    (
        "names",
        include_str!("../../../client/test/browser/names.test.js"),
    ),
    (
        "windows",
        include_str!("../../../client/test/browser/windows.test.js"),
    ),
    (
        "pairing",
        include_str!("../../../client/test/browser/pairing.test.js"),
    ),
    ("pins", include_str!("../../../client/test/browser/pins.test.js")),
    (
        "tickets",
        include_str!("../../../client/test/browser/tickets.test.js"),
    ),
];

/// Whether a source has a test of this name, written out or made by the macro.
fn has(source: &str, test: &str) -> bool {
    source.contains(&format!("#[test]\nfn {test}()")) || source.contains(&format!("    {test}: |"))
}

/// Whether a script has an attack of this name, written out or made from a table with its words: `${what}`.
fn attacks(script: &str, test: &str) -> bool {
    let made = |name: &str| {
        let (before, after) = name.split_once("${what}")?;
        let what = test.strip_prefix(before)?.strip_suffix(after)?;
        Some(script.contains(&format!("[\"{what}\", ")))
    };
    script.contains(&format!("\nattack(b, \"{test}\", "))
        || script
            .split("  attack(b, `")
            .skip(1)
            .filter_map(|rest| made(rest.split_once('`')?.0))
            .any(|found| found)
}

/// File and test of each row.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    DOCUMENT
        .lines()
        .filter(|row| row.starts_with("| ") && row.contains("::"))
        .filter_map(|row| row.rsplit('`').nth(1)?.split_once("::"))
}

#[test]
fn every_attack_in_a_browser_in_the_document_has_its_test() {
    let mut found = std::collections::BTreeSet::new();
    for (file, test) in rows().filter_map(|(file, test)| Some((file.strip_prefix("browser/")?, test))) {
        let script = BROWSER.iter().find(|(known, _)| *known == file);
        assert!(
            script.is_some_and(|(_, script)| attacks(script, test)),
            "{file}::{test}"
        );
        assert!(found.insert((file, test)), "{file}::{test} stands there twice");
    }
    assert!(found.len() >= 40, "{} rows", found.len());
}

#[test]
fn every_attack_in_the_document_has_its_test() {
    let mut count = 0;
    for (file, test) in rows().filter(|(file, _)| !file.starts_with("browser/")) {
        let source = SOURCES.iter().find(|(known, _)| *known == file);
        assert!(
            source.is_some_and(|(_, source)| has(source, test)),
            "{file}::{test}"
        );
        count += 1;
    }
    assert!(count >= 100, "{count} rows");
}

#[test]
fn every_test_of_an_attack_is_in_the_document() {
    for (file, source) in &SOURCES[..5] {
        let written = source.split("#[test]\nfn ").skip(1);
        let made = source
            .lines()
            .filter(|line| line.starts_with("    ") && line.contains(": |"))
            .map(str::trim_start);
        for test in written.chain(made) {
            let name = test.split([':', '(']).next().unwrap();
            // The macro's own pattern.
            if name.is_empty() {
                continue;
            }
            assert!(DOCUMENT.contains(&format!("`{file}::{name}`")), "{file}::{name}");
        }
    }
}
