//! Administration commands of a deployment: seed data, CAs, staff sessions, systems' credentials.
//!
//! It runs with an administrator's AWS credentials and the same environment as the functions.
use clap::{Parser, Subcommand, ValueEnum};
use time::Duration;
use yinxin_lambda::Platform;
use yinxin_lambda::session::{Role, Staff};
use yinxin_order::identifiers::VendorId;

mod authorities;
mod seed;
mod systems;

/// Administration of a Yinxin deployment.
#[derive(Parser)]
#[command(name = "yinxin-admin", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  yinxin-admin seed
  yinxin-admin ca init --vendor bjca
  yinxin-admin staff --vendor bjca --role officer --account li.hua
  yinxin-admin system --id registration

Environment: that of the functions (ORDERS_TABLE, CERTIFICATES_TABLE, CATALOG_TABLE, CA_KEY_ID, LOOKUP_SECRET_ID,
SESSION_SECRET_ID, RETENTION_DAYS ...) and AWS credentials of an administrator.";

#[derive(Subcommand)]
enum Command {
    /// Writes vendors and products, and a CA for each vendor that has none.
    Seed,
    /// Certificate authorities.
    Ca {
        #[command(subcommand)]
        command: CaCommand,
    },
    /// Prints a session token for a member of a vendor's staff.
    Staff {
        /// The vendor whose orders the account may see.
        #[arg(long)]
        vendor: VendorId,
        /// What the account may do.
        #[arg(long)]
        role: StaffRole,
        /// The account's name; it stands in the record of each move, so not a personal name.
        #[arg(long)]
        account: String,
        /// How long the session lasts, in hours; 12 at most.
        #[arg(long, default_value_t = 8)]
        hours: i64,
    },
    /// Gives a calling system a new credential and prints it; the old one ends.
    System {
        /// The system's id, for example `registration`.
        #[arg(long)]
        id: String,
    },
}

#[derive(Subcommand)]
enum CaCommand {
    /// Makes root and issuing CA of a vendor, unless it has them.
    Init {
        /// The vendor.
        #[arg(long)]
        vendor: VendorId,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum StaffRole {
    Officer,
    Operator,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let platform = Platform::from_env().await?;
    match cli.command {
        Command::Seed => seed::run(&platform).await,
        Command::Ca {
            command: CaCommand::Init { vendor },
        } => {
            let vendor = platform.catalog.vendor(&vendor).await?;
            let made = authorities::init(&platform, &vendor).await?;
            println!(
                "{}: {}",
                vendor.id,
                if made {
                    "root and issuing CA made"
                } else {
                    "has its CA"
                }
            );
            Ok(())
        }
        Command::Staff {
            vendor,
            role,
            account,
            hours,
        } => {
            let role = match role {
                StaffRole::Officer => Role::Officer,
                StaffRole::Operator => Role::Operator,
            };
            let key = platform.session_key().await?;
            println!(
                "{}",
                key.sign(
                    &Staff {
                        account,
                        role,
                        vendor
                    },
                    platform.now(),
                    Duration::hours(hours)
                )?
            );
            Ok(())
        }
        Command::System { id } => systems::renew(&platform, &id).await,
    }
}
