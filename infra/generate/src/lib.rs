//! What is generated from the code and kept in the repository, so that a change of it is seen in review.
use std::fmt::Write as _;

use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use yinxin_lambda::problem::{Code, TYPE_BASE};
use yinxin_order::form::Contradiction;
use yinxin_order::identifiers::InvalidIdentifier;

#[derive(OpenApi)]
#[openapi(info(
    title = "Yinxin",
    description = "Certificates and electronic seals for public resource trading. Errors are problem+json (RFC 9457) with stable types, listed in docs/errors.md."
))]
struct Head;

/// The OpenAPI document of all functions.
pub fn openapi() -> Document {
    let mut document = Head::openapi();
    for part in [
        yinxin_submit::openapi(),
        yinxin_upload::openapi(),
        yinxin_payment::openapi(),
        yinxin_notify::openapi(),
        yinxin_review::openapi(),
        yinxin_personalise::openapi(),
        yinxin_courier::openapi(),
        yinxin_query::openapi(),
        yinxin_notify::openapi(),
        yinxin_status::openapi(),
    ] {
        document.merge(part);
    }
    let components = document.components.get_or_insert_default();
    for (name, description) in [
        ("order", "The access token that the order's creation gave"),
        ("staff", "A session of a vendor's officer or operator"),
        ("system", "The credential of a calling system"),
    ] {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description))
            .build();
        components.add_security_scheme(name, SecurityScheme::Http(scheme));
    }
    document
}

/// The text of docs/errors.md.
pub fn errors() -> anyhow::Result<String> {
    let mut text = String::from(
        "# Problem types\n\nGenerated from the code by `cargo xtask generate`; a test compares it. Do not edit.\n\n\
         Every error is answered as `application/problem+json` (RFC 9457): `type`, `title`, `title_zh`, `status`, and where they help \
         `detail`, `pointer` (a JSON pointer into the body) and `retry_after_s`. Types are stable; texts are not. \
         No answer quotes a value that was sent.\n\n| type | status | title | 标题 |\n| --- | --- | --- | --- |\n",
    );
    for code in Code::ALL {
        writeln!(
            text,
            "| `{TYPE_BASE}{}` | {} | {} | {} |",
            code.code(),
            code.status(),
            code.title(),
            code.title_zh()
        )?;
    }
    text.push_str("\n## Values that are not well-formed (422)\n\n| type | what a right value looks like |\n| --- | --- |\n");
    for invalid in InvalidIdentifier::ALL {
        writeln!(
            text,
            "| `{TYPE_BASE}{}` | {} |",
            invalid.code(),
            invalid.sentence()
        )?;
    }
    text.push_str("\n## Values that do not fit together (422)\n\n| type | why |\n| --- | --- |\n");
    for contradiction in Contradiction::ALL {
        writeln!(
            text,
            "| `{TYPE_BASE}{}` | {} |",
            contradiction.code(),
            contradiction.sentence()
        )?;
    }
    Ok(text)
}

/// What is generated: path from the project's root, and content.
pub fn files() -> anyhow::Result<Vec<(&'static str, String)>> {
    let openapi = serde_json::to_string_pretty(&openapi())? + "\n";
    Ok(vec![
        ("infra/openapi.json", openapi),
        ("docs/errors.md", errors()?),
        ("docs/order-states.md", yinxin_order::diagram::order_states()),
    ])
}
