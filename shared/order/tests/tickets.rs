//! Tickets: when they are issued, that each is recorded, and that they end.
use time::OffsetDateTime;
use time::macros::datetime;
use yinxin_order::command::{Actor, Command};
use yinxin_order::form::sample::unit;
use yinxin_order::order::Order;
use yinxin_order::sample::{moved, order_in};
use yinxin_order::state::State;
use yinxin_order::ticket::{IssuedTicket, MAX_TICKETS, TicketOperation};
use yinxin_order::{Refusal, decide};

const NOW: OffsetDateTime = datetime!(2026-04-07 02:00 UTC);

fn issue(number: u32) -> Command {
    Command::IssueTicket {
        ticket: IssuedTicket {
            id: format!("ticket-of-a-test-{number:08}"),
            operation: TicketOperation::Personalise,
            token_serial: "YX0011223344556677".to_owned(),
            origin: "https://portal.example".to_owned(),
        },
    }
}

/// As many tickets as a state takes.
fn exhausted(state: State) -> Order {
    let order = order_in(state, 1, unit(1), NOW);
    (0..MAX_TICKETS).fold(order, |order, number| moved(&order, &issue(number), NOW).order)
}

#[test]
fn only_an_order_that_is_being_personalised_takes_tickets() {
    for &state in State::ALL {
        if state == State::Refunding {
            continue;
        }
        let order = order_in(state, 1, unit(1), NOW);
        let decided = decide(&order, &issue(1), Actor::platform("test"), NOW);
        let is_open = [
            State::AwaitingPersonalisation,
            State::Issuing,
            State::AwaitingWriting,
        ]
        .contains(&state);
        assert_eq!(decided.is_ok(), is_open, "{state:?}");
    }
}

#[test]
fn a_ticket_stands_in_its_event_and_moves_nothing() {
    let order = order_in(State::AwaitingPersonalisation, 1, unit(1), NOW);
    let moved = moved(&order, &issue(1), NOW);
    let Command::IssueTicket { ticket } = issue(1) else {
        panic!("it is a ticket")
    };
    assert_eq!(moved.event.ticket, Some(ticket));
    assert_eq!(moved.order.state, order.state);
    assert_eq!((moved.order.tickets, moved.effects.len()), (1, 0));
    let stored = serde_json::to_string(&moved.order).unwrap();
    assert!(!stored.contains("ticket-of-a-test"), "{stored}");
}

#[test]
fn the_tickets_of_a_state_end_and_the_next_state_has_its_own() {
    let order = exhausted(State::AwaitingPersonalisation);
    let refused = decide(&order, &issue(99), Actor::platform("test"), NOW).expect_err("it is too many");
    assert_eq!(refused, Refusal::TooManyTickets);
    let csr = yinxin_order::issuance::SubmittedCsr {
        pem: "csr".to_owned(),
        key_sm3: "aa".to_owned(),
    };
    let next = moved(&order, &Command::SubmitCsr { csr }, NOW).order;
    assert_eq!((next.state, next.tickets), (State::Issuing, 0));
    assert_eq!(moved(&next, &issue(100), NOW).order.tickets, 1);
}

#[test]
fn an_order_from_before_there_were_tickets_is_read() {
    let stored = serde_json::to_value(order_in(State::AwaitingPersonalisation, 1, unit(1), NOW)).unwrap();
    assert!(stored.get("tickets").is_none());
    let order: Order = serde_json::from_value(stored).unwrap();
    assert_eq!(order.tickets, 0);
}
