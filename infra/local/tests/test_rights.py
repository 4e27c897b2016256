"""Who may do what: one role a function, and every sensitive right with the functions that alone hold it."""

import unittest

import template

READ_ORDERS = {"Submit", "Upload", "Payment", "Review", "Personalise", "Issue", "Notify", "Invoice", "Courier", "Query", "Sweep"}
# (action, resource) -> the only functions that hold it. A new holder is a decision, and is written here.
HOLDERS = {
    ("kms:Decrypt", "CaKey"): {"Issue"},
    ("kms:GenerateDataKey", "CaKey"): {"Issue"},
    ("kms:Decrypt", "SecretKey"): {"Notify"},
    ("kms:Encrypt", "SecretKey"): {"Submit", "Personalise"},
    ("kms:Decrypt", "DataKey"): READ_ORDERS,
    ("kms:GenerateDataKey", "DataKey"): {"Submit", "Review"},
    ("kms:Decrypt", "DocumentsKey"): {"Upload", "Review", "Notify", "Query"},
    ("kms:GenerateDataKey", "DocumentsKey"): {"Upload", "Review", "Invoice"},
    ("secretsmanager:GetSecretValue", "AlipaySecret"): {"Payment"},
    ("secretsmanager:GetSecretValue", "WechatSecret"): {"Payment"},
    ("secretsmanager:GetSecretValue", "IdentitySecret"): {"Submit"},
    ("secretsmanager:GetSecretValue", "SmsSecret"): {"Notify"},
    ("secretsmanager:GetSecretValue", "SmtpSecret"): {"Notify"},
    ("secretsmanager:GetSecretValue", "BankSecret"): {"Notify"},
    ("secretsmanager:GetSecretValue", "InvoiceSecret"): {"Invoice"},
    ("secretsmanager:GetSecretValue", "CourierSecret"): {"Courier"},
    ("secretsmanager:GetSecretValue", "TicketSecret"): {"Personalise"},
    ("secretsmanager:GetSecretValue", "LookupSecret"): READ_ORDERS,
    ("secretsmanager:GetSecretValue", "SessionSecret"): {"Review", "Personalise"},
    ("dynamodb:PutItem", "Certificates"): {"Issue", "Review"},
    ("dynamodb:UpdateItem", "Certificates"): {"Issue"},
    ("s3:PutObject", "Documents"): {"Upload", "Review", "Invoice"},
    ("s3:GetObject", "Documents"): {"Upload", "Review", "Notify", "Query"},
    ("s3:DeleteObject", "Documents"): {"Upload", "Sweep"},
    ("s3:ListBucket", "Documents"): {"Upload", "Sweep"},
    ("s3:PutObject", "Publications"): {"Issue"},
    ("s3:GetObject", "Publications"): {"Status"},
    ("s3:ListBucket", "Publications"): {"Status"},
    ("sqs:SendMessage", "IssueQueue"): {"Relay"},
    ("sqs:SendMessage", "NotifyQueue"): {"Relay"},
    ("sqs:SendMessage", "PaymentQueue"): {"Payment", "Relay"},
    ("sqs:SendMessage", "InvoiceQueue"): {"Relay"},
    ("sqs:SendMessage", "CourierQueue"): {"Relay"},
}
SENSITIVE = ("kms:", "secretsmanager:", "s3:", "sqs:SendMessage", "dynamodb:Delete")


class Roles(unittest.TestCase):
    def test_each_function_has_a_role_of_its_own(self):
        roles = [template.target(function["Role"]) for function in template.functions().values()]
        self.assertEqual(len(roles), len(set(roles)))
        for name, role in template.of_type(template.written(), "AWS::IAM::Role").items():
            self.assertNotIn("ManagedPolicyArns", role, f"{name}: AWS's managed policies name every resource")

    def test_only_lambda_takes_the_roles(self):
        for role in template.of_type(template.written(), "AWS::IAM::Role").values():
            statement, = role["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual(statement["Principal"], {"Service": "lambda.amazonaws.com"})

    def test_no_right_is_for_everything(self):
        for function in template.functions():
            for action, resource in template.statements(function):
                with self.subTest(function=function, action=action):
                    self.assertNotIn("*", action)
                    self.assertNotEqual(resource, "*")

    def test_sensitive_rights_have_just_their_holders(self):
        found = {}
        for function in template.functions():
            for action, resource in template.allowed(function):
                if action.startswith(SENSITIVE) or (action, resource) in HOLDERS:
                    found.setdefault((action, resource), set()).add(function)
        for right, holders in HOLDERS.items():
            with self.subTest(right):
                self.assertEqual(found.pop(right, set()), holders)
        found.pop(("sqs:SendMessage", "RelayDlq"), None)
        self.assertEqual(found, {}, "a sensitive right without a list of holders")

    def test_only_issue_has_more_rights_and_only_over_keys_and_secrets_that_are_named(self):
        # policy -> (actions, the parameter that names the resources, the condition that it names any)
        named = {
            "IssueSigning": (["kms:Sign", "kms:GetPublicKey"], "SigningKeyArns", "HasSigningKeys"),
            "IssueVendors": (["secretsmanager:GetSecretValue"], "VendorSecretArns", "HasVendorSecrets"),
        }
        policies = template.of_type(template.written(), "AWS::IAM::Policy")
        self.assertEqual(set(policies), set(named))
        for name, (actions, parameter, condition) in named.items():
            with self.subTest(name):
                policy = policies[name]
                self.assertEqual([template.target(role) for role in policy["Roles"]], ["IssueRole"])
                statement, = policy["PolicyDocument"]["Statement"]
                self.assertEqual(template.listed(statement["Action"]), actions)
                self.assertEqual(statement["Resource"], {"Fn::Split": [",", {"Ref": parameter}]})
                self.assertEqual(template.written()["Parameters"][parameter]["Default"], "")
                self.assertEqual(template.written()["Resources"][name]["Condition"], condition)
                self.assertEqual(
                    template.written()["Conditions"][condition], {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]})

    def test_objects_are_reached_only_under_their_prefixes(self):
        for function in template.functions():
            for action, resource in template.statements(function):
                if action.startswith("s3:") and action != "s3:ListBucket":
                    name = resource["Fn::Sub"]
                    if template.target(resource) == "Documents":
                        self.assertTrue(name.endswith(("/in/*", "/documents/*", "/documents/*/invoice/*")), name)
                    else:
                        self.assertTrue(name.endswith(("/crl/*", "/ca/*")), name)

    def test_of_the_documents_these_functions_reach_invoices_alone(self):
        reached = {"Invoice": {"s3:PutObject"}, "Notify": {"s3:GetObject"}, "Query": {"s3:GetObject"}}
        for function, actions in reached.items():
            found = [(action, resource["Fn::Sub"]) for action, resource in template.statements(function) if action.startswith("s3:")]
            with self.subTest(function):
                self.assertEqual({action for action, _name in found}, actions)
                for _action, name in found:
                    self.assertTrue(name.endswith("/documents/*/invoice/*"), name)
        # Officers look at all documents and write no other.
        written, = (resource["Fn::Sub"] for action, resource in template.statements("Review") if action == "s3:PutObject")
        self.assertTrue(written.endswith("/documents/*/invoice/*"), written)

    def test_status_reads_and_does_nothing_else(self):
        rights = {right for right in template.allowed("Status") if not right[0].startswith("logs:")}
        self.assertEqual(rights, {
            ("dynamodb:GetItem", "Certificates"), ("s3:GetObject", "Publications"), ("s3:ListBucket", "Publications")})

    def test_a_function_that_is_told_a_secret_may_read_it(self):
        for function, properties in template.functions().items():
            for name, value in properties.get("Environment", {}).get("Variables", {}).items():
                if name.endswith("_SECRET_ID"):
                    self.assertIn(("secretsmanager:GetSecretValue", template.target(value)), template.allowed(function), name)
                if name.endswith("_QUEUE_URL"):
                    self.assertIn(("sqs:SendMessage", template.target(value)), template.allowed(function), name)

    def test_only_key_and_bucket_policies_name_everything(self):
        # In a key policy `*` is the key itself. The bucket's policy denies, and names the bucket.
        naming = {name for name, resource in template.written()["Resources"].items()
                 if "'Resource': '*'" in str(resource)}
        self.assertEqual(naming, set(template.of_type(template.written(), "AWS::KMS::Key")))

    def test_key_policies_trust_the_account_and_nobody_else(self):
        for key in template.of_type(template.written(), "AWS::KMS::Key").values():
            statement, = key["KeyPolicy"]["Statement"]
            self.assertTrue(statement["Principal"]["AWS"]["Fn::Sub"].endswith(":iam::${AWS::AccountId}:root"))
            self.assertTrue(key["EnableKeyRotation"])


if __name__ == "__main__":
    unittest.main()
