"""Who is called by what: every route, queue, stream, bucket and schedule has its one function, and the right to call it."""

import re
import unittest

import template

ROUTES = {
    "Submit": {
        "POST /api/captchas",
        "POST /api/intakes",
        "POST /api/orders",
        "PUT /api/orders/{id}/form",
        "POST /api/orders/{id}/confirm",
        "POST /api/orders/{id}/codes",
        "POST /api/orders/{id}/signature",
        "POST /api/orders/{id}/resubmit",
        "POST /api/orders/{id}/cancel",
        "POST /api/orders/{id}/receipt",
    },
    "Upload": {"POST /api/orders/{id}/documents", "GET /api/orders/{id}/documents"},
    "Payment": {"POST /api/orders/{id}/payments", "POST /api/notify/alipay", "POST /api/notify/wechat"},
    "Review": {
        "GET /api/review/orders",
        "GET /api/review/orders/{id}",
        "POST /api/review/orders/{id}/approve",
        "POST /api/review/orders/{id}/reject",
        "POST /api/review/orders/{id}/invoice",
        "POST /api/review/orders/{id}/invoice/retry",
        "POST /api/review/orders/{id}/revoke",
        "POST /api/review/orders/{id}/password",
        "POST /api/review/recoveries",
        "GET /api/review/recoveries/{id}",
        "POST /api/review/recoveries/{id}/approve",
        "POST /api/review/recoveries/{id}/reject",
        "GET /api/review/holders/keys",
    },
    "Notify": {
        "POST /api/orders/{id}/password",
        "POST /api/notify/sms/aliyun/{token}",
        "POST /api/notify/sms/tencent/{token}",
    },
    "Personalise": {
        "GET /api/personalise/orders",
        "GET /api/personalise/orders/{id}",
        "POST /api/personalise/orders/{id}/tickets",
        "POST /api/personalise/orders/{id}/csr",
        "GET /api/personalise/orders/{id}/certificates",
        "POST /api/personalise/orders/{id}/written",
        "POST /api/personalise/orders/{id}/dispatch",
    },
    "Courier": {"GET /api/orders/{id}/parcel", "POST /api/notify/courier/kuaidi100/{order}"},
    "Query": {
        "GET /api/health",
        "GET /api/vendors",
        "GET /api/orders/{id}",
        "GET /api/orders/{id}/application-form",
        "GET /api/orders/{id}/invoice",
        "GET /api/intakes/{uid}/orders",
    },
    "Status": {
        "POST /api/ocsp/{authority}",
        "GET /api/ocsp/{authority}/{proxy+}",
        "GET /api/crl/{authority}/{list}",
        "GET /api/ca/{certificate}",
        "GET /api/trust-list",
        "GET /api/trust-list/root.cer",
    },
}
QUEUES = {"IssueQueue": "Issue", "NotifyQueue": "Notify", "PaymentQueue": "Payment", "InvoiceQueue": "Invoice", "CourierQueue": "Courier"}
FUNCTION_IN_URI = re.compile(r"\$\{(\w+)\.Arn\}/invocations")


def routes():
    """Route -> function, from the OpenAPI document that SAM makes."""
    body = template.of_type(template.expanded(), "AWS::ApiGatewayV2::Api")["Http"]["Body"]
    return {
        f"{method.upper()} {path}": FUNCTION_IN_URI.search(str(operation["x-amazon-apigateway-integration"]["uri"]))[1]
        for path, operations in body["paths"].items()
        for method, operation in operations.items()
    }


def permissions(principal):
    """Function -> source ARNs from which a service may call it."""
    found = {}
    for permission in template.of_type(template.expanded(), "AWS::Lambda::Permission").values():
        if permission["Principal"] == principal:
            found.setdefault(template.target(permission["FunctionName"]), []).append(str(permission.get("SourceArn")))
    return found


class Routes(unittest.TestCase):
    def test_each_route_leads_to_its_function(self):
        wanted = {route: function for function, served in ROUTES.items() for route in served}
        self.assertEqual(routes(), wanted)

    def test_the_api_may_call_each_function_for_its_routes(self):
        granted = permissions("apigateway.amazonaws.com")
        for route, function in routes().items():
            method, path = route.split()
            ending = f"/{method}{re.sub(r'{[^}]+}', '*', path)}'"
            with self.subTest(route):
                self.assertTrue(any(ending in source for source in granted.get(function, [])), f"{ending} not in {granted}")

    def test_every_route_is_payload_2(self):
        body = template.of_type(template.expanded(), "AWS::ApiGatewayV2::Api")["Http"]["Body"]
        for operations in body["paths"].values():
            for operation in operations.values():
                self.assertEqual(operation["x-amazon-apigateway-integration"]["payloadFormatVersion"], "2.0")

    def test_no_route_hides_a_path_of_the_local_cloud(self):
        for route in routes():
            self.assertTrue(route.split()[1].startswith("/api/"), route)


class Sources(unittest.TestCase):
    def mappings(self):
        return template.of_type(template.expanded(), "AWS::Lambda::EventSourceMapping").values()

    def test_each_queue_has_its_function(self):
        found = {
            template.target(mapping["EventSourceArn"]): template.target(mapping["FunctionName"])
            for mapping in self.mappings()
            if template.target(mapping["EventSourceArn"]) != "Orders"
        }
        self.assertEqual(found, QUEUES)

    def test_a_batch_fails_only_in_part(self):
        for mapping in self.mappings():
            self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])

    def test_the_stream_does_not_stop_at_a_bad_record(self):
        stream, = (mapping for mapping in self.mappings() if template.target(mapping["EventSourceArn"]) == "Orders")
        self.assertEqual(template.target(stream["FunctionName"]), "Relay")
        self.assertTrue(stream["BisectBatchOnFunctionError"])
        self.assertGreater(stream["MaximumRetryAttempts"], 0)
        self.assertEqual(template.target(stream["DestinationConfig"]["OnFailure"]["Destination"]), "RelayDlq")

    def test_the_bucket_may_call_upload_and_only_what_arrives_does(self):
        self.assertIn("Upload", permissions("s3.amazonaws.com"))
        bucket = template.of_type(template.expanded(), "AWS::S3::Bucket")["Documents"]
        call, = bucket["NotificationConfiguration"]["LambdaConfigurations"]
        self.assertEqual(call["Filter"]["S3Key"]["Rules"], [{"Name": "prefix", "Value": "in/"}])

    def test_each_schedule_may_call_its_function_and_nothing_else(self):
        called = []
        for schedule in template.of_type(template.expanded(), "AWS::Scheduler::Schedule").values():
            function = template.target(schedule["Target"]["Arn"])
            called.append(function)
            role = template.expanded()["Resources"][template.target(schedule["Target"]["RoleArn"])]["Properties"]
            statement, = (s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"])
            self.assertEqual((statement["Action"], template.target(statement["Resource"])), ("lambda:InvokeFunction", function))
        self.assertEqual(sorted(called), ["Issue", "Payment", "Sweep"])


if __name__ == "__main__":
    unittest.main()
