//! The loop of a function: HTTP requests, queue batches, stream batches, object events and schedules, by the
//! shape of the event.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

use crate::telemetry::{self, Measure};

mod batch;
mod http;

pub use batch::{Batch, BatchError};
pub use http::router_of;

/// What a function answers to.
#[derive(Clone)]
pub struct Function {
    name: &'static str,
    router: Option<axum::Router>,
    batch: Option<Arc<dyn Batch>>,
}

impl Function {
    /// A function that answers to nothing yet.
    pub fn new(name: &'static str) -> Self {
        Function {
            name,
            router: None,
            batch: None,
        }
    }

    /// Answers HTTP requests.
    #[must_use]
    pub fn http(mut self, router: axum::Router) -> Self {
        self.router = Some(router);
        self
    }

    /// Answers batches of records, and schedules.
    #[must_use]
    pub fn batch(mut self, batch: impl Batch + 'static) -> Self {
        self.batch = Some(Arc::new(batch));
        self
    }

    /// Answers one event; `cold` where it is the process's first.
    pub async fn answer(&self, event: Value, cold: bool) -> Result<Value, lambda_runtime::Error> {
        let is_http = event
            .get("requestContext")
            .is_some_and(|context| context.get("http").is_some());
        match (&self.router, &self.batch) {
            (Some(router), _) if is_http => Ok(http::answer(router.clone(), event, self.name, cold).await),
            (_, Some(batch)) if event.get("Records").is_some() => {
                batch::answer(batch.as_ref(), event, self.name, cold).await
            }
            (_, Some(batch)) if event.get("time").is_some() => {
                let measure = Measure::begin(self.name, cold);
                let done = batch.schedule(&event).await;
                measure.end("schedule", if done.is_ok() { "done" } else { "failed" });
                done.map(|()| json!({}))
            }
            _ => Err("the function has no answer to this kind of event".into()),
        }
    }
}

/// Runs `function` until Lambda ends it.
pub async fn serve(function: Function) -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let first = AtomicBool::new(true);
    let (function, first) = (&function, &first);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        function
            .answer(event.payload, first.swap(false, Ordering::Relaxed))
            .await
    }))
    .await
}
