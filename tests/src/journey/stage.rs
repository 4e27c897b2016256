//! Everybody and everything that takes part in a journey.
use std::path::PathBuf;

use anyhow::Result;

use super::remove;
use crate::client::{Api, Persistence};
use crate::cloud::Cloud;
use crate::sandbox::Sandbox;
use crate::world::World;

/// Everybody and everything that takes part, the same for all journeys of a test.
#[derive(Clone)]
pub struct Stage {
    /// The stack.
    pub world: World,
    /// The API without a token.
    pub api: Api,
    /// The outside world.
    pub sandbox: Sandbox,
    /// The administrator's view.
    pub cloud: Cloud,
}

impl Stage {
    /// The stage on the running stack.
    pub async fn open() -> Result<Stage> {
        let world = World::open()?;
        Ok(Stage {
            api: Api::new(&world.api)?,
            sandbox: Sandbox::new(&world.sandbox)?,
            cloud: Cloud::open(&world).await?,
            world,
        })
    }

    /// A place for what a journey leaves behind, beside the stack's logs.
    pub fn place(&self, name: &str) -> Result<PathBuf> {
        let place = self.world.directory.join("journeys").join(name);
        remove(&place)?;
        std::fs::create_dir_all(&place)?;
        Ok(place)
    }

    /// The same stage, for people who outlast failures of the platform.
    #[must_use]
    pub fn stubborn(self) -> Stage {
        Stage {
            api: self.api.with_persistence(Persistence::Stubborn),
            ..self
        }
    }
}
