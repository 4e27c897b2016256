"""What SQS and DynamoDB streams are allowed to do and seldom do: every message twice, and the later one first.

The live relay makes the first delivery of an effect to its queue; `run` makes a second one. Then it takes the messages out of the
queues and gives them to the functions itself, twice and in reverse, until nothing is left.
"""

import base64
import json
import sys
import time

import local

QUEUES = ("issue", "notify", "payment", "invoice", "courier")
BATCH = 10
# A message that still fails after so many tries is reported as failed, and stays in its queue.
TRIES = 5
# Rounds without a new effect or message after which nothing more is expected, and the pause between two rounds: longer than the
# stream and the functions take.
QUIET_ROUNDS = 3
PAUSE_SECONDS = 0.5
LIMIT_SECONDS = 120


def run(clients):
    """Redelivers until the queues stay empty; answers what was done."""
    seen, tries = set(), {}
    done = {"effects": 0, "messages": 0, "failed": {}}
    quiet = 0
    deadline = time.monotonic() + LIMIT_SECONDS
    # Messages in flight come back when their time is up; those that were given up stay.
    while quiet < QUIET_ROUNDS or sum(waiting(clients).values()) > len(done["failed"]):
        if time.monotonic() > deadline:
            sys.exit(f"the queues are not empty after {LIMIT_SECONDS} s: {waiting(clients)}")
        moved = relay_again(clients, seen)
        done["effects"] += moved
        for queue in QUEUES:
            delivered, given_up = deliver(clients, queue, tries)
            done["messages"] += delivered
            done["failed"] |= given_up
            moved += delivered
        quiet = 0 if moved else quiet + 1
        time.sleep(PAUSE_SECONDS)
    return done


def relay_again(clients, seen):
    """Gives the relay every effect that was not seen before, the latest first."""
    table = clients.outputs["OrdersTable"]
    fresh = []
    for item in local.pages(
        clients("dynamodb"), "scan", "Items", TableName=table, ConsistentRead=True,
        FilterExpression="#kind = :effect", ExpressionAttributeNames={"#kind": "kind"},
        ExpressionAttributeValues={":effect": {"S": "effect"}},
    ):
        key = (item["pk"]["S"], item["sk"]["S"])
        if key not in seen:
            seen.add(key)
            fresh.append(item)
    fresh.sort(key=lambda item: (item["pk"]["S"], item["sk"]["S"]), reverse=True)
    for start in range(0, len(fresh), BATCH):
        records = [stream_record(table, start + n, encoded(item)) for n, item in enumerate(fresh[start : start + BATCH])]
        failed = call(clients, "relay", records)
        if failed:
            sys.exit(f"the relay refused {len(failed)} effects")
    return len(fresh)


def stream_record(table, number, item):
    """An item as a record of the table's stream."""
    return {
        "eventID": f"redelivered-{number}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": local.REGION,
        "eventSourceARN": f"arn:aws:dynamodb:{local.REGION}:000000000000:table/{table}/stream/redelivered",
        "dynamodb": {
            "ApproximateCreationDateTime": int(time.time()),
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": f"{number + 1:021}",
            "SizeBytes": len(json.dumps(item)),
            "StreamViewType": "NEW_IMAGE",
        },
    }


def encoded(value):
    """boto3 decodes binary attributes; in an event they are base64."""
    if isinstance(value, dict):
        return {name: encoded(member) for name, member in value.items()}
    if isinstance(value, list):
        return [encoded(member) for member in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def deliver(clients, queue, tries):
    """Empties one queue into its function: every batch reversed, and twice. Answers how many, and which were given up."""
    url = clients.outputs[f"{queue.capitalize()}QueueUrl"]
    messages = list(received(clients, url))
    messages.reverse()
    delivered, given_up = 0, {}
    for start in range(0, len(messages), BATCH):
        batch = messages[start : start + BATCH]
        records = [queue_record(queue, message) for message in batch]
        failed = call(clients, queue, records) | call(clients, queue, list(reversed(records)))
        for message in batch:
            name = message["MessageId"]
            if name not in failed:
                clients("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                delivered += 1
                continue
            tries[name] = tries.get(name, 0) + 1
            if tries[name] >= TRIES:
                given_up[name] = {"queue": queue, "body": message["Body"]}
            else:
                clients("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
                delivered += 1
    return delivered, given_up


def received(clients, url):
    """All messages of a queue that are visible now."""
    while True:
        answer = clients("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], WaitTimeSeconds=0)
        if not answer.get("Messages"):
            return
        yield from answer["Messages"]


def redrive(clients, queue):
    """Puts a queue's dead letters back, as SQS's StartMessageMoveTask does, which MiniStack does not have. A letter is deleted after
    it was put back, so that a crash in between doubles it and loses none: every effect may run twice."""
    dead, url = (clients.outputs[f"{queue.capitalize()}{kind}"] for kind in ("DlqUrl", "QueueUrl"))
    moved = 0
    for message in received(clients, dead):
        clients("sqs").send_message(QueueUrl=url, MessageBody=message["Body"])
        clients("sqs").delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return moved


def queue_record(queue, message):
    """A received message as Lambda gives it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{local.REGION}:000000000000:{queue}",
        "awsRegion": local.REGION,
    }


def call(clients, function, records):
    """Invokes a function with a batch; the ids of the records that failed, all of them when the function itself failed."""
    answer = clients("lambda").invoke(
        FunctionName=f"{local.STACK}-{function}", Payload=json.dumps({"Records": records}).encode())
    payload = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        return {record.get("messageId") or record["eventID"] for record in records}
    return {failure["itemIdentifier"] for failure in (payload or {}).get("batchItemFailures", [])}


def count(clients, url):
    """Messages of a queue, waiting, delayed or in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    attributes = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def waiting(clients):
    """Messages by queue."""
    return {queue: count(clients, clients.outputs[f"{queue.capitalize()}QueueUrl"]) for queue in QUEUES}
