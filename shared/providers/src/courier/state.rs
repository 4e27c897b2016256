//! The states of a parcel, as kuaidi100 numbers them.

/// Where a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// In transit (在途).
    InTransit,
    /// The courier has it (揽收).
    Collected,
    /// Something is wrong with it (疑难).
    Problem,
    /// Signed for (签收).
    Signed,
    /// Sent back, and signed for by the sender (退签).
    SignedBack,
    /// Out for delivery (派件).
    OutForDelivery,
    /// On its way back (退回).
    Returning,
    /// Handed to another courier (转单).
    Forwarded,
    /// Waits for the customs (待清关).
    AwaitingCustoms,
    /// With the customs (清关中).
    InCustoms,
    /// Through the customs (已清关).
    ClearedCustoms,
    /// Held by the customs (清关异常).
    CustomsProblem,
    /// Nobody takes it (拒签).
    Refused,
}

impl State {
    /// Every state with its number.
    pub const ALL: [(&'static str, State); 13] = [
        ("0", State::InTransit),
        ("1", State::Collected),
        ("2", State::Problem),
        ("3", State::Signed),
        ("4", State::SignedBack),
        ("5", State::OutForDelivery),
        ("6", State::Returning),
        ("7", State::Forwarded),
        ("10", State::AwaitingCustoms),
        ("11", State::InCustoms),
        ("12", State::ClearedCustoms),
        ("13", State::CustomsProblem),
        ("14", State::Refused),
    ];

    /// The state of this number; `None` for one that nobody knows yet.
    pub(super) fn of(number: &str) -> Option<State> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == number)
            .map(|&(_, state)| state)
    }
}
