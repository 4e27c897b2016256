//! The relay in process: against queues in memory, and against a loopback address that speaks SQS's protocol.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use yinxin_lambda::Function;
use yinxin_lambda::serve::Batch as _;
use yinxin_order::effect::{Effect, Queue};
use yinxin_order::sample::order_id;
use yinxin_relay::{MESSAGES_PER_CALL, QueueUrls, Queues, Relay, SendError, SqsQueues};
use yinxin_store::orders::Errand;

/// Queues that remember what they took, and refuse what they are told to.
#[derive(Clone, Default)]
struct FakeQueues {
    took: Arc<Mutex<Vec<(Queue, Errand)>>>,
    refuses: Arc<Mutex<Option<Effect>>>,
    down: Arc<Mutex<Option<Queue>>>,
}

#[async_trait]
impl Queues for FakeQueues {
    async fn send(&self, queue: Queue, bodies: &[String]) -> Result<Vec<usize>, SendError> {
        assert!((1..=MESSAGES_PER_CALL).contains(&bodies.len()));
        if *self.down.lock().unwrap() == Some(queue) {
            return Err(SendError::Unavailable("nobody answers".into()));
        }
        let mut refused = Vec::new();
        for (place, body) in bodies.iter().enumerate() {
            let errand: Errand = serde_json::from_str(body).unwrap();
            if self.refuses.lock().unwrap().as_ref() == Some(&errand.effect) {
                refused.push(place);
            } else {
                self.took.lock().unwrap().push((queue, errand));
            }
        }
        Ok(refused)
    }
}

impl FakeQueues {
    fn took(&self, queue: Queue) -> Vec<Errand> {
        let took = self.took.lock().unwrap();
        took.iter()
            .filter(|(to, _)| *to == queue)
            .map(|(_, errand)| errand.clone())
            .collect()
    }
}

fn errand(version: u64, effect: Effect) -> Errand {
    Errand {
        order: order_id(1),
        version,
        seq: 0,
        effect,
    }
}

fn refund(attempt: u8) -> Effect {
    Effect::Refund { attempt }
}

#[tokio::test]
async fn each_errand_reaches_the_queue_of_who_does_it_in_order() {
    let queues = FakeQueues::default();
    let mut errands: Vec<Errand> = (1..=25).map(|n| errand(n, refund(1))).collect();
    errands.insert(3, errand(26, Effect::AskCa));
    errands.extend([errand(27, Effect::IssueInvoice), errand(28, Effect::TrackParcel)]);
    let (carried, failure) = Relay::new(queues.clone()).carry(&errands).await;
    assert_eq!(carried, 28);
    assert!(failure.is_none());
    let versions: Vec<u64> = queues
        .took(Queue::Payment)
        .iter()
        .map(|errand| errand.version)
        .collect();
    assert_eq!(versions, (1..=25).collect::<Vec<_>>());
    assert_eq!(queues.took(Queue::Issue), [errands[3].clone()]);
    assert_eq!(queues.took(Queue::Invoice), [errands[26].clone()]);
    assert_eq!(queues.took(Queue::Courier), [errands[27].clone()]);
    assert!(queues.took(Queue::Notify).is_empty());
}

#[tokio::test]
async fn the_stream_stops_at_the_first_errand_that_was_not_sent() {
    let queues = FakeQueues::default();
    *queues.refuses.lock().unwrap() = Some(refund(3));
    let errands = [
        errand(1, refund(1)),
        errand(2, Effect::AskCa),
        errand(3, refund(3)),
        errand(4, refund(4)),
    ];
    let (carried, failure) = Relay::new(queues.clone()).carry(&errands).await;
    assert_eq!(carried, 2);
    assert_eq!(failure.unwrap().to_string(), "the queue refused a message");
    assert_eq!(queues.took(Queue::Issue).len(), 1);
}

#[tokio::test]
async fn of_two_failures_the_earlier_one_counts() {
    let queues = FakeQueues::default();
    *queues.refuses.lock().unwrap() = Some(refund(2));
    *queues.down.lock().unwrap() = Some(Queue::Issue);
    let errands = [
        errand(1, refund(1)),
        errand(2, refund(2)),
        errand(3, Effect::AskCa),
    ];
    let (carried, _) = Relay::new(queues).carry(&errands).await;
    assert_eq!(carried, 1);
}

fn sample() -> Value {
    serde_json::from_str(include_str!("../../../events/dynamodb-effects.json")).unwrap()
}

#[tokio::test]
async fn the_sample_event_of_the_stream_is_carried() {
    let queues = FakeQueues::default();
    let function = Function::new("relay").batch(Relay::new(queues.clone()));
    let answer = function.answer(sample(), false).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let lengths = [Queue::Notify, Queue::Issue, Queue::Payment].map(|queue| queues.took(queue).len());
    assert_eq!(lengths, [1, 1, 2]);
}

#[tokio::test]
async fn the_sample_event_goes_on_at_the_record_that_failed() {
    let queues = FakeQueues::default();
    *queues.refuses.lock().unwrap() = Some(refund(2));
    let function = Function::new("relay").batch(Relay::new(queues));
    let answer = function.answer(sample(), false).await.unwrap();
    let number = &sample()["Records"][3]["dynamodb"]["SequenceNumber"];
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": number}]}));
}

/// A loopback address that takes every message but those at these places.
async fn sqs(refused: &'static [usize]) -> SqsQueues {
    let answer = move |headers: HeaderMap, body: String| async move {
        assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
        let asked: Value = serde_json::from_str(&body).unwrap();
        assert!(asked["QueueUrl"].as_str().unwrap().ends_with("/payment"));
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (place, entry) in asked["Entries"].as_array().unwrap().iter().enumerate() {
            let id = &entry["Id"];
            if refused.contains(&place) {
                failed.push(json!({"Id": id, "SenderFault": false, "Code": "InternalError"}));
            } else {
                successful.push(json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "0"}));
            }
        }
        let body = json!({"Successful": successful, "Failed": failed}).to_string();
        (
            StatusCode::OK,
            [("content-type", "application/x-amz-json-1.0")],
            body,
        )
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(&url)
        .build();
    let urls = QueueUrls {
        issue: format!("{url}/123456789012/issue"),
        notify: format!("{url}/123456789012/notify"),
        payment: format!("{url}/123456789012/payment"),
        invoice: format!("{url}/123456789012/invoice"),
        courier: format!("{url}/123456789012/courier"),
    };
    SqsQueues::new(aws_sdk_sqs::Client::from_conf(config), urls)
}

#[tokio::test]
async fn sqs_takes_a_call_with_all_its_messages() {
    let bodies = ["one", "two", "three"].map(str::to_owned);
    let refused = sqs(&[]).await.send(Queue::Payment, &bodies).await.unwrap();
    assert!(refused.is_empty());
}

#[tokio::test]
async fn what_sqs_refuses_of_a_call_is_told() {
    let bodies = ["one", "two", "three"].map(str::to_owned);
    let refused = sqs(&[1]).await.send(Queue::Payment, &bodies).await.unwrap();
    assert_eq!(refused, [1]);
}
