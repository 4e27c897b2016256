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
    let mut diagram = String::new();
    let mut rows = String::new();
    for row in TABLE {
        for &from in row.from {
            let to = next_state(row, kind, from);
            if row.next != Next::Stay {
                diagram.push_str(&format!(
                    "    {} --> {}: {}\n",
                    from.as_str(),
                    to.as_str(),
                    row.command.as_str()
                ));
            }
            rows.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                from.as_str(),
                row.command.as_str(),
                to.as_str(),
                row.effects.join(", ")
            ));
        }
    }
    let refund = CommandName::RecordRefund.as_str();
    diagram.push_str(&format!(
        "    {} --> {}: {refund} (the last one)\n",
        State::Refunding.as_str(),
        State::Cancelled.as_str()
    ));
    let turns: String = State::ALL
        .iter()
        .map(|state| format!("| {} | {:?} |\n", state.as_str(), state.turn()).to_lowercase())
        .collect();
    text.push_str(&format!(
        "\n## {kind:?}\n\n```mermaid\nstateDiagram-v2\n    [*] --> {}\n{diagram}```\n\n| state | whose turn |\n| --- | --- |\n{turns}\n| state | command | next | may ask for |\n| --- | --- | --- | --- |\n{rows}",
        kind.journey()[0].as_str()
    ));
}
