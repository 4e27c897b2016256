//! Administration commands of a deployment: seed data, CAs, staff sessions, systems' credentials.
//!
//! It runs with an administrator's AWS credentials and the same environment as the functions.
use clap::{Parser, Subcommand, ValueEnum};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration};
use yinxin_ca::trust_list::CaStatus;
use yinxin_issue::authority::PLATFORM;
use yinxin_lambda::Platform;
use yinxin_lambda::session::{Role, Staff};
use yinxin_order::identifiers::VendorId;
use yinxin_store::catalog::Vendor;

use crate::authorities::{Found, KeyPlaces, PLATFORM_NAME};
use crate::endpoints::Endpoint;

mod authorities;
mod endpoints;
mod reconciliation;
mod seed;
mod systems;
#[cfg(test)]
mod tests;
mod tickets;
mod trust_list;

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
  yinxin-admin ca est --vendor bjca --url https://est.ca.example --server-ca tls-ca.pem --vendor-root root.pem --secret ID
  yinxin-admin ca rotate --vendor bjca --from 2026-06-01T00:00:00Z
  yinxin-admin ca withdraw --vendor bjca --reason 'licence ended'
  yinxin-admin trust-list publish
  yinxin-admin tickets certificates > platform-certificates.pem
  yinxin-admin staff --vendor bjca --role officer --account li.hua
  yinxin-admin system --id registration
  yinxin-admin reconciliation --day 2026-04-07

Environment: that of the functions (ORDERS_TABLE, CERTIFICATES_TABLE, CATALOG_TABLE, CA_KEY_ID, LOOKUP_SECRET_ID,
SESSION_SECRET_ID, TICKET_SECRET_ID, RETENTION_DAYS ...) and AWS credentials of an administrator.";

#[derive(Subcommand)]
enum Command {
    /// Writes vendors and products, and a CA for each vendor that has none; a key for tickets, if there is none.
    Seed,
    /// Certificate authorities.
    Ca {
        #[command(subcommand)]
        command: CaCommand,
    },
    /// The trust list.
    TrustList {
        #[command(subcommand)]
        command: TrustListCommand,
    },
    /// Keys that sign tickets for signer agents.
    Tickets {
        #[command(subcommand)]
        command: TicketsCommand,
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
    /// Prints how the payment providers' bills of a day and the ledger compare.
    Reconciliation {
        /// The day in China, `YYYY-MM-DD`; yesterday where nothing is said.
        #[arg(long, value_parser = reconciliation::parse_day)]
        day: Option<Date>,
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
    /// Makes root and issuing CA of a vendor, unless it has them; `platform` has a root and a trust list signer.
    Init {
        /// The vendor; all vendors and the platform where none is named.
        #[arg(long)]
        vendor: Option<VendorId>,
        #[command(flatten)]
        places: KeyPlaces,
        #[command(flatten)]
        by: By,
    },
    /// Has a vendor issue through its own EST endpoint; refused where it has a CA, so before `seed` makes one.
    Est {
        /// The vendor.
        #[arg(long)]
        vendor: VendorId,
        #[command(flatten)]
        endpoint: Endpoint,
        #[command(flatten)]
        by: By,
    },
    /// Makes a vendor's next issuing CA and announces it in the trust list; for `platform`, the next trust list signer.
    Rotate {
        /// The vendor.
        #[arg(long)]
        vendor: VendorId,
        /// When it takes over, RFC 3339; in seven days where nothing is said.
        #[arg(long, value_parser = parse_time)]
        from: Option<OffsetDateTime>,
        /// The SM2 key in KMS that it signs with; a sealed software key otherwise.
        #[arg(long, value_name = "ARN")]
        kms_key: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// Renews status responders that end within 90 days.
    Renew {
        /// The vendor; all vendors where none is named.
        #[arg(long)]
        vendor: Option<VendorId>,
        #[command(flatten)]
        by: By,
    },
    /// Prints CAs with their keys, times and status.
    List {
        /// The vendor; all vendors and the platform where none is named.
        #[arg(long)]
        vendor: Option<VendorId>,
    },
    /// Withdraws the platform's trust in CAs of a vendor from now on: they issue no more, and the trust list says so.
    Withdraw(Change),
    /// Grants it again.
    Grant(Change),
}

#[derive(clap::Args)]
struct Change {
    /// The vendor.
    #[arg(long)]
    vendor: VendorId,
    /// The CA's key id, as `ca list` prints it; all CAs of the vendor where none is named.
    #[arg(long)]
    key: Option<String>,
    /// Why; it is published.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    by: By,
}

#[derive(clap::Args)]
struct By {
    /// The account that does it; it stands in the audit trail, so not a personal name.
    #[arg(long, default_value = "administrator")]
    by: String,
}

#[derive(Subcommand)]
enum TrustListCommand {
    /// Announces new CAs, signs the next version and publishes it.
    Publish {
        #[command(flatten)]
        by: By,
    },
    /// Prints the published list.
    Show,
}

#[derive(Subcommand)]
enum TicketsCommand {
    /// Makes the next key and its certificate under the platform's root.
    Renew {
        /// When it begins to sign, RFC 3339; in seven days where nothing is said, at once where there is none yet.
        #[arg(long, value_parser = parse_time)]
        from: Option<OffsetDateTime>,
        #[command(flatten)]
        by: By,
    },
    /// Prints the certificates that agents are started with (`--platform-certificates`).
    Certificates,
}

fn parse_time(text: &str) -> Result<OffsetDateTime, time::error::Parse> {
    OffsetDateTime::parse(text, &Rfc3339)
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
        Command::Seed => {
            seed::run(&platform).await?;
            if tickets::seed(&platform, seed::SEED).await? {
                println!("tickets: key made");
            }
            Ok(())
        }
        Command::Ca { command } => ca(&platform, command).await,
        Command::TrustList { command } => match command {
            TrustListCommand::Publish { by } => {
                let version = trust_list::publish(&platform, &by.by).await?;
                println!("trust list: version {version} published");
                Ok(())
            }
            TrustListCommand::Show => trust_list::show(&platform).await,
        },
        Command::Tickets { command } => match command {
            TicketsCommand::Renew { from, by } => {
                let from = tickets::renew(&platform, from, &by.by).await?;
                println!("tickets: the next key signs from {}", from.format(&Rfc3339)?);
                Ok(())
            }
            TicketsCommand::Certificates => {
                print!("{}", tickets::certificates(&platform).await?);
                Ok(())
            }
        },
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
        Command::Reconciliation { day } => reconciliation::show(&platform, day).await,
        Command::System { id } => systems::renew(&platform, &id).await,
    }
}

async fn ca(platform: &Platform, command: CaCommand) -> anyhow::Result<()> {
    match command {
        CaCommand::Init { vendor, places, by } => {
            for (id, _) in authorities_of(platform, vendor.as_ref()).await? {
                let made = if id == PLATFORM {
                    authorities::init_platform(platform, &places, &by.by).await?
                } else {
                    let vendor = platform.catalog.vendor(&id.parse()?).await?;
                    authorities::init(platform, &vendor, &places, &by.by).await?
                };
                println!("{id}: {}", if made { "CA made" } else { "has its CA" });
            }
            announce(platform, &by.by).await
        }
        CaCommand::Est { vendor, endpoint, by } => {
            endpoints::init(platform, &vendor, endpoint.config()?, &by.by).await?;
            println!("{vendor}: issues through its endpoint");
            announce(platform, &by.by).await
        }
        CaCommand::Rotate {
            vendor,
            from,
            kms_key,
            by,
        } => {
            for (id, name) in authorities_of(platform, Some(&vendor)).await? {
                let who = (id.as_str(), name.as_str());
                let from = authorities::rotate(platform, who, kms_key.as_deref(), from, &by.by).await?;
                println!("{id}: the next takes over at {}", from.format(&Rfc3339)?);
            }
            announce(platform, &by.by).await
        }
        CaCommand::Renew { vendor, by } => {
            for (id, name) in authorities_of(platform, vendor.as_ref()).await? {
                let renewed = authorities::renew(platform, (&id, &name), &by.by).await?;
                println!("{id}: {} responder(s) renewed", renewed.len());
            }
            Ok(())
        }
        CaCommand::List { vendor } => {
            for (id, _) in authorities_of(platform, vendor.as_ref()).await? {
                match authorities::find(platform, &id).await? {
                    Some(Found::Own(opened)) => authorities::print(&id, &opened.stored, platform.now())?,
                    Some(Found::Est(_, stored)) => endpoints::print(&id, &stored)?,
                    None => println!("{id}  no CA"),
                }
            }
            Ok(())
        }
        CaCommand::Withdraw(change) => change_status(platform, &change, CaStatus::Withdrawn).await,
        CaCommand::Grant(change) => change_status(platform, &change, CaStatus::Granted).await,
    }
}

/// New CAs are in the trust list at once, if the platform can sign one.
async fn announce(platform: &Platform, by: &str) -> anyhow::Result<()> {
    if authorities::find(platform, PLATFORM).await?.is_none() {
        println!("trust list: not published, the platform has no CA (`ca init --vendor {PLATFORM}`)");
        return Ok(());
    }
    let version = trust_list::publish(platform, by).await?;
    println!("trust list: version {version} published");
    Ok(())
}

async fn change_status(platform: &Platform, change: &Change, status: CaStatus) -> anyhow::Result<()> {
    let which = (change.vendor.as_str(), change.key.as_deref());
    let version = trust_list::change(platform, which, status, &change.reason, &change.by.by).await?;
    println!("trust list: version {version} published");
    Ok(())
}

/// Ids and names: the one that is meant, or the platform and all vendors.
async fn authorities_of(
    platform: &Platform,
    only: Option<&VendorId>,
) -> anyhow::Result<Vec<(String, String)>> {
    let own = || (PLATFORM.to_owned(), PLATFORM_NAME.to_owned());
    let of = |vendor: Vendor| (vendor.id.to_string(), vendor.name);
    match only {
        Some(id) if id.as_str() == PLATFORM => Ok(vec![own()]),
        Some(id) => Ok(vec![of(platform.catalog.vendor(id).await?)]),
        None => {
            let vendors = platform.catalog.vendors().await?;
            Ok(std::iter::once(own())
                .chain(vendors.into_iter().map(of))
                .collect())
        }
    }
}
