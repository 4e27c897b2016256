//! The table of states and commands: no double rows, ways out, and the generated diagram.
use std::collections::HashSet;

use yinxin_order::command::CommandName;
use yinxin_order::diagram::order_states;
use yinxin_order::kind::Kind;
use yinxin_order::state::{State, Turn};
use yinxin_order::table::{TABLE, find, next_state};

#[test]
fn no_two_rows_share_a_state_and_a_command() {
    let mut seen = HashSet::new();
    for row in TABLE {
        for from in row.from {
            assert!(
                seen.insert((*from, row.command)),
                "{from:?} has two rows for {:?}",
                row.command
            );
        }
    }
}

#[test]
fn every_command_stands_in_the_table() {
    for &command in CommandName::ALL {
        assert!(
            TABLE.iter().any(|row| row.command == command),
            "{command:?} moves nothing"
        );
    }
}

#[test]
fn every_state_that_is_somebodys_turn_has_a_way_out() {
    for &kind in Kind::ALL {
        for &state in State::ALL.iter().filter(|state| state.turn() != Turn::Nobody) {
            let leads_on = CommandName::ALL
                .iter()
                .filter_map(|&command| find(state, command))
                .any(|row| next_state(row, kind, state) != state);
            // The last refund leads out of `Refunding`; the table's head says so.
            assert!(leads_on || state == State::Refunding, "{state:?} has no way out");
        }
    }
}

#[test]
fn every_state_that_is_the_platforms_turn_can_be_reminded_of() {
    for &state in State::ALL.iter().filter(|state| state.turn() == Turn::Platform) {
        assert!(
            find(state, CommandName::Remind).is_some(),
            "{state:?} would be forgotten"
        );
    }
}

#[test]
fn a_journey_passes_each_of_its_stages_by_a_row_that_advances() {
    for &kind in Kind::ALL {
        for pair in kind.journey().windows(2) {
            let advances = CommandName::ALL
                .iter()
                .filter_map(|&command| find(pair[0], command))
                .any(|row| next_state(row, kind, pair[0]) == pair[1]);
            assert!(advances, "nothing leads from {:?} to {:?}", pair[0], pair[1]);
        }
    }
}

#[test]
fn the_diagram_in_the_documentation_is_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/order-states.md");
    let written = std::fs::read_to_string(path).expect("docs/order-states.md is there");
    assert!(
        written == order_states(),
        "docs/order-states.md is old: run `cargo xtask generate`"
    );
}

#[test]
fn certificates_are_revoked_from_their_issuing_on_and_at_no_time_before() {
    for &state in State::ALL {
        let exist = [
            State::AwaitingWriting,
            State::AwaitingDispatch,
            State::AwaitingReceipt,
            State::Completed,
        ]
        .contains(&state);
        let row = find(state, CommandName::Revoke);
        assert_eq!(row.is_some(), exist, "{state:?}");
        let stays = row.is_none_or(|row| next_state(row, Kind::New, state) == state);
        assert!(stays, "a revocation moves an order that is {state:?}");
    }
}
