//! The generated files are those that the code gives.
use yinxin_lambda::problem::Code;

#[test]
fn the_generated_files_are_up_to_date() {
    for (path, content) in yinxin_generate::files().expect("everything can be generated") {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let written = std::fs::read_to_string(format!("{root}/{path}")).unwrap_or_default();
        assert!(written == content, "{path} is old: run `cargo xtask generate`");
    }
}

#[test]
fn no_two_problem_types_have_the_same_code() {
    let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.code()).collect();
    codes.extend(
        yinxin_order::identifiers::InvalidIdentifier::ALL
            .iter()
            .map(|invalid| invalid.code()),
    );
    codes.extend(
        yinxin_order::form::Contradiction::ALL
            .iter()
            .map(|contradiction| contradiction.code()),
    );
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all, "a code stands twice");
}

#[test]
fn every_call_is_documented_with_its_problems() {
    let document = serde_json::to_value(yinxin_generate::openapi()).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("there are paths");
    assert!(paths.len() >= 25, "only {} paths are documented", paths.len());
    for (path, calls) in paths {
        assert!(path.starts_with("/api/"), "{path} lies outside /api/");
        for (method, call) in calls.as_object().expect("calls") {
            let answers = call["responses"].as_object().expect("answers");
            assert!(
                answers.keys().any(|status| status.starts_with('2')),
                "{method} {path} has no success"
            );
            let is_open = path == "/api/health" || path == "/api/vendors";
            assert!(
                is_open
                    || answers
                        .keys()
                        .any(|status| status == "default" || status.starts_with('4')),
                "{method} {path} has no problem"
            );
        }
    }
}
