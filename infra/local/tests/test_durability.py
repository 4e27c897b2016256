"""What must not be lost, must not hang and must not stay unseen: queues, tables, alarms, logs; and what works in every partition."""

import re
import unittest

import template

DEFAULT_TIMEOUT = template.written()["Globals"]["Function"]["Timeout"]
CONSUMERS = {"IssueQueue": "Issue", "NotifyQueue": "Notify", "PaymentQueue": "Payment", "InvoiceQueue": "Invoice", "CourierQueue": "Courier"}


class Queues(unittest.TestCase):
    def queues(self):
        return template.of_type(template.written(), "AWS::SQS::Queue")

    def test_each_queue_gives_up_into_a_queue_of_its_own(self):
        given_up = {name: template.target(queue["RedrivePolicy"]["deadLetterTargetArn"])
                    for name, queue in self.queues().items() if not name.endswith("Dlq")}
        self.assertEqual(set(given_up), set(CONSUMERS))
        self.assertEqual(given_up, {name: name.replace("Queue", "Dlq") for name in CONSUMERS})
        for name in given_up:
            self.assertEqual(self.queues()[name]["RedrivePolicy"]["maxReceiveCount"], 5)

    def test_what_was_given_up_outlasts_its_queue(self):
        for name, queue in self.queues().items():
            if name.endswith("Dlq"):
                self.assertEqual(queue["MessageRetentionPeriod"], 14 * 24 * 3600)

    def test_messages_come_back_after_six_times_the_time_limit(self):
        for environment in template.ENVIRONMENTS:
            for queue, function in CONSUMERS.items():
                timeout = template.functions()[function].get("Timeout", DEFAULT_TIMEOUT)
                hidden = self.queues()[queue]["VisibilityTimeout"]
                self.assertGreaterEqual(template.resolve(hidden, environment), 6 * template.resolve(timeout, environment))

    def test_queues_are_encrypted(self):
        for name, queue in self.queues().items():
            self.assertTrue(queue["SqsManagedSseEnabled"], name)


class Stores(unittest.TestCase):
    def test_tables_can_be_restored_and_are_encrypted(self):
        tables = template.of_type(template.written(), "AWS::DynamoDB::Table")
        self.assertEqual(set(tables), {"Orders", "Codes", "Certificates", "Catalog"})
        for name, table in tables.items():
            with self.subTest(name):
                self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
                self.assertTrue(table["SSESpecification"]["SSEEnabled"])
                self.assertEqual(table["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})

    def test_indexes_hold_keys_only(self):
        tables = template.of_type(template.written(), "AWS::DynamoDB::Table")
        for name, wanted in {"Orders": ("by_turn", "by_holder", "by_due"), "Certificates": ("by_due",)}.items():
            indexes = {index["IndexName"]: index["Projection"] for index in tables[name]["GlobalSecondaryIndexes"]}
            self.assertEqual(indexes, dict.fromkeys(wanted, {"ProjectionType": "KEYS_ONLY"}))

    def test_nothing_that_holds_data_goes_with_the_stack(self):
        keeping = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret")
        for name, resource in template.written()["Resources"].items():
            if resource["Type"] in keeping:
                self.assertEqual(resource.get("DeletionPolicy"), "RetainExceptOnCreate", name)
                self.assertEqual(resource.get("UpdateReplacePolicy"), "Retain", name)

    def test_what_is_published_is_read_through_its_function_and_stays(self):
        bucket = template.of_type(template.written(), "AWS::S3::Bucket")["Publications"]
        self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True})
        lists, = bucket["LifecycleConfiguration"]["Rules"]
        # Longer than any list is the newest of its shard: lists are made anew each day.
        self.assertEqual((lists["Prefix"], lists["ExpirationInDays"] > 30), ("crl/", True))

    def test_the_bucket_is_private(self):
        bucket = template.of_type(template.written(), "AWS::S3::Bucket")["Documents"]
        self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True})
        rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        self.assertEqual(rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms")
        unjudged, = bucket["LifecycleConfiguration"]["Rules"]
        self.assertEqual((unjudged["Prefix"], unjudged["ExpirationInDays"]), ("in/", 1))
        policy = template.of_type(template.written(), "AWS::S3::BucketPolicy")["DocumentsPolicy"]
        statement, = policy["PolicyDocument"]["Statement"]
        self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"))


class Alarms(unittest.TestCase):
    def watched(self, metric):
        alarms = template.of_type(template.written(), "AWS::CloudWatch::Alarm").values()
        return {template.target(alarm["Dimensions"][0]["Value"]) for alarm in alarms if alarm["MetricName"] == metric}

    def test_everything_that_can_fail_unseen_has_an_alarm(self):
        self.assertEqual(self.watched("Errors"), set(template.functions()))
        self.assertEqual(self.watched("ApproximateAgeOfOldestMessage"), set(CONSUMERS))
        dead = {name for name in template.of_type(template.written(), "AWS::SQS::Queue") if name.endswith("Dlq")}
        self.assertEqual(self.watched("ApproximateNumberOfMessagesVisible"), dead)
        self.assertEqual(self.watched("IteratorAge"), {"Relay"})

    def test_every_log_is_kept_for_a_time(self):
        groups = template.of_type(template.written(), "AWS::Logs::LogGroup")
        names = {group.get("LogGroupName", {}).get("Fn::Sub") for group in groups.values()}
        for function in template.functions().values():
            self.assertIn("/aws/lambda/" + function["FunctionName"]["Fn::Sub"], names)
        for group in groups.values():
            self.assertEqual(group["RetentionInDays"], {"Ref": "LogDays"})


class Partitions(unittest.TestCase):
    def test_no_name_is_of_one_partition(self):
        text = re.sub(r"#.*", "", template.PATH.read_text())
        self.assertNotIn("arn:aws", text)
        # Service principals are the same in every partition for the services used here.
        self.assertEqual(set(re.findall(r"[\w.-]*amazonaws\.com\S*", text)), {"lambda.amazonaws.com},"})


if __name__ == "__main__":
    unittest.main()
