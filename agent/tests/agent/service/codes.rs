//! docs/agent-security.md lists the codes of refusals; they are those of the program, with their statuses.
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../docs/agent-security.md");
const PROGRAM: &str = include_str!("../../../src/service/refusal.rs");

/// Codes with their statuses, as `code status`.
type Codes = BTreeSet<String>;

fn in_the_document() -> Codes {
    let (_, section) = DOCUMENT.split_once("\n### Codes\n").expect("a section");
    let section = section.split("\n## ").next().unwrap();
    let mut codes = Codes::new();
    for row in section.lines().filter(|row| row.starts_with("| `")) {
        let mut cells = row.split(" | ");
        let names = cells.next().unwrap().trim_start_matches("| ");
        let status = cells.next().unwrap();
        for name in names.split(", ") {
            assert!(
                codes.insert(format!("{} {status}", name.trim_matches('`'))),
                "{name} twice"
            );
        }
    }
    codes
}

fn in_the_program() -> Codes {
    let program = PROGRAM.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut codes = Codes::new();
    // `S::CONFLICT, "busy"`, and the codes of tickets and renewals, which are behind functions.
    for part in program.split("S::").skip(1) {
        let Some((status, rest)) = part.split_once(", ") else {
            continue;
        };
        if let Some(code) = rest.strip_prefix('"') {
            codes.insert(format!("{} {}", code.split('"').next().unwrap(), number(status)));
        }
    }
    for (family, status) in [("ticket", "FORBIDDEN"), ("renewal", "CONFLICT")] {
        let quoted = format!("\"{family}");
        for part in program.split(&quoted).skip(1) {
            let rest = part.split('"').next().unwrap();
            codes.insert(format!("{family}{rest} {}", number(status)));
        }
    }
    codes
}

fn number(status: &str) -> u16 {
    match status {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "REQUEST_TIMEOUT" => 408,
        "CONFLICT" => 409,
        "GONE" => 410,
        "PAYLOAD_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "MISDIRECTED_REQUEST" => 421,
        "UNPROCESSABLE_ENTITY" => 422,
        "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_SERVER_ERROR" => 500,
        "NOT_IMPLEMENTED" => 501,
        other => panic!("{other} has no number here"),
    }
}

#[test]
fn the_document_lists_the_codes_of_the_program() {
    let (document, program) = (in_the_document(), in_the_program());
    assert!(program.len() >= 50, "{program:?}");
    let missing: Vec<_> = program.difference(&document).collect();
    let unknown: Vec<_> = document.difference(&program).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing {missing:?}, unknown {unknown:?}"
    );
}
