//! The agent against a platform on the loopback address: whole runs, broken runs, and the command line.
mod authority;
mod breaking_token;
mod command_line;
mod deliveries;
mod interruptions;
mod personalise;
mod platform;
mod world;
