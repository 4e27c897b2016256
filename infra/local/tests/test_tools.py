"""The tools themselves: what they refuse, and that what they send looks like what AWS sends."""

import base64
import decimal
import io
import json
import os
import pathlib
import sys
import unittest
import unittest.mock
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import cloud  # noqa: E402
import deploy  # noqa: E402
import launch  # noqa: E402
import local  # noqa: E402
import redelivery  # noqa: E402


class Endpoints(unittest.TestCase):
    def clients(self, endpoint):
        with unittest.mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": endpoint}):
            return local.Clients()

    def test_only_this_machine_is_accepted(self):
        for endpoint in ("https://dynamodb.us-east-1.amazonaws.com", "http://10.0.0.1:4566", "http://localhost.example:4566",
                         "http://127.0.0.1:4566", "file:///localhost"):
            with self.subTest(endpoint), self.assertRaises(SystemExit):
                self.clients(endpoint)
        self.assertEqual(self.clients("http://localhost:4566/").endpoint, "http://localhost:4566")

    def test_without_an_endpoint_and_a_state_nothing_is_guessed(self):
        with unittest.mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": "", "YINXIN_STATE": "/nowhere/state.json"}):
            with self.assertRaises(SystemExit):
                local.Clients()


class Packages(unittest.TestCase):
    def test_the_archive_holds_one_executable_bootstrap(self):
        with zipfile.ZipFile(io.BytesIO(deploy.zipped(b"code"))) as archive:
            entry, = archive.infolist()
            self.assertEqual((entry.filename, archive.read(entry)), ("bootstrap", b"code"))
            self.assertEqual(entry.external_attr >> 16 & 0o111, 0o111)

    def test_every_function_of_the_template_is_packaged(self):
        import template

        found = {name for _prefix, name in deploy.CODE_URI.findall(template.PATH.read_text())}
        self.assertEqual(found, set(cloud.FUNCTIONS))
        self.assertEqual(found, {name.lower() for name in template.functions()})


class Events(unittest.TestCase):
    def test_a_redelivered_effect_is_a_stream_record_in_json(self):
        item = {"pk": {"S": "ORDER#1"}, "sk": {"S": "EFFECT#1"}, "sealed": {"B": b"\x00\x01"}, "list": {"L": [{"N": "1"}]}}
        record = json.loads(json.dumps(redelivery.stream_record("orders", 0, redelivery.encoded(item))))
        self.assertEqual(record["eventName"], "INSERT")
        self.assertEqual(base64.b64decode(record["dynamodb"]["NewImage"]["sealed"]["B"]), b"\x00\x01")
        self.assertEqual(record["dynamodb"]["Keys"], {"pk": {"S": "ORDER#1"}, "sk": {"S": "EFFECT#1"}})

    def test_items_become_json(self):
        item = {"n": decimal.Decimal(3), "half": decimal.Decimal("0.5"), "b": b"\xff", "set": {"b", "a"}}
        self.assertEqual(json.loads(json.dumps(item, default=cloud.encode)), {"n": 3, "half": 0.5, "b": "/w==", "set": ["a", "b"]})


class Sqs:
    """Queues in memory, as far as a redrive uses them. `fails_at` names the call that stops the redrive."""

    def __init__(self, letters, fails_at=None):
        self.queues = {"dead": list(letters), "live": []}
        self.hidden, self.fails_at = set(), fails_at

    def receive_message(self, QueueUrl, **_):  # noqa: N803
        seen = [body for body in self.queues[QueueUrl] if body not in self.hidden][:2]
        self.hidden |= set(seen)
        return {"Messages": [{"Body": body, "ReceiptHandle": body} for body in seen]} if seen else {}

    def send_message(self, QueueUrl, MessageBody):  # noqa: N803
        self.queues[QueueUrl].append(MessageBody)

    def delete_message(self, QueueUrl, ReceiptHandle):  # noqa: N803
        if ReceiptHandle == self.fails_at:
            raise ConnectionError
        self.queues[QueueUrl].remove(ReceiptHandle)


class Redrive(unittest.TestCase):
    def redrive(self, sqs):
        clients = unittest.mock.Mock(return_value=sqs, outputs={"NotifyDlqUrl": "dead", "NotifyQueueUrl": "live"})
        return redelivery.redrive(clients, "notify")

    def test_all_dead_letters_go_back_into_their_queue(self):
        sqs = Sqs(["a", "b", "c"])
        self.assertEqual(self.redrive(sqs), 3)
        self.assertEqual(sqs.queues, {"dead": [], "live": ["a", "b", "c"]})

    def test_a_crash_doubles_a_letter_and_loses_none(self):
        sqs = Sqs(["a", "b", "c"], fails_at="b")
        with self.assertRaises(ConnectionError):
            self.redrive(sqs)
        self.assertEqual(sqs.queues, {"dead": ["b", "c"], "live": ["a", "b"]})


class Launcher(unittest.TestCase):
    def test_names_tags_and_cors_of_a_body_are_found(self):
        body = {
            "info": {"title": "yinxin"},
            "tags": [{"name": "ms-custom-id", "x-amazon-apigateway-tag-value": "79696e78"}],
            "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"]},
        }
        properties = launch.readable({"Body": body})
        self.assertEqual(properties["Name"], "yinxin")
        self.assertEqual(properties["Tags"], {"ms-custom-id": "79696e78"})
        self.assertEqual(properties["CorsConfiguration"], {"allowOrigins": ["https://a.example"]})

    def test_the_corrections_fit_the_pinned_version(self):
        pinned = (pathlib.Path(launch.__file__).parent / "requirements.txt").read_text()
        self.assertIn(f"ministack=={launch.SUPPORTED}\n", pinned)


if __name__ == "__main__":
    unittest.main()
