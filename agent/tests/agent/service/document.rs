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

/// Whether a source has a test of this name, written out or made by the macro.
fn has(source: &str, test: &str) -> bool {
    source.contains(&format!("#[test]\nfn {test}()")) || source.contains(&format!("    {test}: |"))
}

#[test]
fn every_attack_in_the_document_has_its_test() {
    let mut rows = 0;
    for row in DOCUMENT
        .lines()
        .filter(|row| row.starts_with("| ") && row.contains("::"))
    {
        let name = row.rsplit('`').nth(1).unwrap();
        let (file, test) = name.split_once("::").unwrap();
        let source = SOURCES.iter().find(|(known, _)| *known == file);
        assert!(source.is_some_and(|(_, source)| has(source, test)), "{name}");
        rows += 1;
    }
    assert!(rows >= 100, "{rows} rows");
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
