//! The function `notify` in process, with providers that are told what to answer.
mod codes;
mod fakes;
mod notices;
mod passwords;
mod world;
