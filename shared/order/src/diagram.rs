//! The diagram of docs/order-states.md, drawn from the table.
use crate::command::CommandName;
use crate::kind::Kind;
use crate::state::State;
use crate::table::{Next, TABLE, next_state};

/// The document's text: a Mermaid diagram of the moves, then all rows, for each kind of order.
pub fn order_states() -> String {
    let mut text = String::from(
        "# States of an order\n\nGenerated from `shared/order/src/table.rs` by `cargo xtask generate`; a test compares it. Do not edit.\n",
    );
    for &kind in Kind::ALL {
        write_kind(&mut text, kind);
    }
    text
}

fn write_kind(text: &mut String, kind: Kind) {
    let first = kind.journey()[0].as_str();
    let rows = || {
        TABLE
            .iter()
            .flat_map(|row| row.from.iter().map(move |&from| (from, row)))
    };
    let moves = rows()
        .filter(|(_, row)| row.next != Next::Stay)
        .map(|(from, row)| {
            let to = next_state(row, kind, from).as_str();
            format!("    {} --> {to}: {}\n", from.as_str(), row.command.as_str())
        });
    let last_refund = format!(
        "    {} --> {}: {} (the last one)\n",
        State::Refunding.as_str(),
        State::Cancelled.as_str(),
        CommandName::RecordRefund.as_str()
    );
    let turns = State::ALL
        .iter()
        .map(|state| format!("| {} | {:?} |\n", state.as_str(), state.turn()).to_lowercase());
    let lines = rows().map(|(from, row)| {
        let (to, effects) = (next_state(row, kind, from).as_str(), row.effects.join(", "));
        format!(
            "| {} | {} | {to} | {effects} |\n",
            from.as_str(),
            row.command.as_str()
        )
    });
    text.extend([format!(
        "\n## {kind:?}\n\n```mermaid\nstateDiagram-v2\n    [*] --> {first}\n"
    )]);
    text.extend(moves);
    text.push_str(&last_refund);
    text.push_str("```\n\n| state | whose turn |\n| --- | --- |\n");
    text.extend(turns);
    text.push_str("\n| state | command | next | may ask for |\n| --- | --- | --- | --- |\n");
    text.extend(lines);
}
