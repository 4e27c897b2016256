"""The invoice provider seen from the platform."""

import base64
import copy
import hashlib
import hmac
import io
import json
import unittest
import uuid
import zipfile

from support import OutsideTest

from sandbox import nuonuo

QUERY = "nuonuo.OpeMplatform.queryInvoiceResult"
ISSUE = "nuonuo.OpeMplatform.requestBillingNew"
RETRY = "nuonuo.OpeMplatform.reInvoice"


class Vector(unittest.TestCase):
    def test_the_signature_of_the_documentation(self):
        body = b'{"order":{"orderNo":"A1"}}'
        args = ("SK1234567890ABCD", "SD12345678", "0123456789abcdef0123456789abcdef", "12345678", "1700000000")
        self.assertEqual(nuonuo.sign(*args, body), "g10c1QoLwwv84OsTGd0KjJW2c7c=")
        self.assertNotEqual(nuonuo.sign(*args, body + b" "), "g10c1QoLwwv84OsTGd0KjJW2c7c=")


class InvoiceTest(OutsideTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.secret = self.SECRETS["invoice"]

    def order(self, **changes) -> dict:
        seller = {"salerTaxNum": "tax_number", "salerAddress": "address", "salerTel": "telephone", "salerAccount": "account"}
        order = {name: self.secret[f"seller_{part}"] for name, part in seller.items()}
        order |= {
            "orderNo": "20240520A0000000007", "invoiceDate": "2024-05-20 10:11:12", "invoiceType": "1",
            "invoiceLine": "pc", "pushMode": "-1", "clerk": "开票员", "buyerName": "湖南某某有限公司",
            "buyerTaxNum": "91430100MA4L00003Q",
            "invoiceDetail": [{
                "goodsName": "*信息技术服务*数字证书服务费", "goodsCode": "3040203000000000000", "withTaxFlag": "1",
                "price": "220.00", "num": "1", "taxRate": "0.06", "taxIncludedAmount": "220.00",
                "taxExcludedAmount": "207.55", "tax": "12.45", "invoiceLineProperty": "0",
            }],
        }  # fmt: skip
        return {name: value for name, value in (order | changes).items() if value is not ...}

    async def token(self, status: int = 200, **changes) -> dict:
        form = {
            "client_id": self.secret["app_key"],
            "client_secret": self.secret["app_secret"],
            "grant_type": "client_credentials",
        } | changes
        async with self.http.post(f"{self.base}/nuonuo/accessToken", data=form) as answer:
            body = await answer.json()
            self.assertEqual(answer.status, status, body)
            return body

    async def call(self, method: str, content: dict, token: str, headers: dict | None = None, **changes) -> dict:
        """One call, signed without the sandbox's own code."""
        query = {
            "senid": uuid.uuid4().hex,
            "nonce": "12345678",
            "timestamp": str(int(self.clock().timestamp())),
            "appkey": self.secret["app_key"],
        } | changes
        body = json.dumps(content, ensure_ascii=False).encode()
        text = b"a=services&l=v1&p=open&k=%s&i=%s&n=%s&t=%s&f=" % tuple(
            query[name].encode() for name in ("appkey", "senid", "nonce", "timestamp")
        )
        digest = hmac.new(self.secret["app_secret"].encode(), text + body, hashlib.sha1).digest()
        sent = {
            "Content-Type": "application/json",
            "X-Nuonuo-Sign": base64.b64encode(digest).decode(),
            "accessToken": token,
            "method": method,
        } | (headers or {})
        url = f"{self.base}/nuonuo/open/v1/services"
        async with self.http.post(url, params=query, data=body, headers=sent) as answer:
            self.assertEqual(answer.status, 200)
            return await answer.json()

    async def issue(self, token: str, **changes) -> dict:
        return await self.call(ISSUE, {"order": self.order(**changes)}, token)

    async def query(self, token: str, number: str = "20240520A0000000007") -> dict:
        return await self.call(QUERY, {"orderNos": [number], "isOfferInvoiceDetail": "0"}, token)


class Tokens(InvoiceTest):
    async def test_fifty_tokens_are_given_out_in_thirty_days(self):
        for _ in range(50):
            self.assertEqual((await self.token())["expires_in"], 86400)
        self.assertEqual((await self.token(400))["error"], "access_limit")
        self.assertEqual((await self.read("/invoices.json"))["tokens_asked"], 51)
        self.clock.move(days=31)
        await self.token()

    async def test_a_token_ends_after_a_day_or_by_hand(self):
        token = (await self.token())["access_token"]
        self.assertEqual((await self.query(token))["code"], "E9500")
        self.clock.move(hours=24)
        self.assertEqual((await self.query(token))["code"], "070301")
        token = (await self.token())["access_token"]
        self.assertEqual(await self.control("nuonuo/expire-tokens", {}), {"expired": 2})
        self.assertEqual((await self.query(token))["code"], "070301")
        self.assertEqual((await self.query("another"))["code"], "070101")

    async def test_wrong_credentials_get_no_token(self):
        self.assertEqual((await self.token(400, client_secret="wrong"))["error"], "invalid_client")
        self.assertEqual((await self.token(400, grant_type="password"))["error"], "unsupported_grant_type")


class Invoices(InvoiceTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.access = (await self.token())["access_token"]

    async def test_an_invoice_is_issued_with_files_that_programs_open(self):
        serial = (await self.issue(self.access))["result"]["invoiceSerialNum"]
        (found,) = (await self.query(self.access))["result"]
        self.assertEqual((found["status"], found["serialNo"]), ("2", serial))
        self.assertRegex(found["allElectronicInvoiceNumber"], r"^2443[0-9]{16}$")
        self.assertEqual(found["invoiceTime"], 1716171072000)
        files = {}
        for kind in ("pdf", "ofd", "xml"):
            async with self.http.get(found[f"{kind}Url"]) as answer:
                self.assertEqual((answer.status, answer.content_type), (200, f"application/{kind}"))
                files[kind] = await answer.read()
        self.assertTrue(files["pdf"].startswith(b"%PDF-") and files["pdf"].endswith(b"%%EOF\n"))
        self.assertIn("OFD.xml", zipfile.ZipFile(io.BytesIO(files["ofd"])).namelist())
        self.assertIn(found["allElectronicInvoiceNumber"].encode(), files["xml"])
        await self.control("faults", {"nuonuo": {"bad_files": True}})
        async with self.http.get(found["pdfUrl"]) as answer:
            self.assertFalse((await answer.read()).startswith(b"%PDF-"))

    async def test_an_order_has_one_invoice(self):
        first = await self.issue(self.access)
        self.assertEqual(await self.issue(self.access, invoiceDate="2024-05-20 10:12:00"), first)
        self.assertEqual((await self.issue(self.access, buyerName="别的公司"))["code"], "E9503")
        (invoice,) = (await self.read("/invoices.json"))["invoices"]
        self.assertEqual((invoice["asked"], invoice["amount"]), (2, "220.00"))

    async def test_issuing_takes_as_many_questions_as_it_is_told(self):
        await self.control("faults", {"nuonuo": {"issue_after": 2}})
        await self.issue(self.access)
        states = [(await self.query(self.access))["result"][0]["status"] for _ in range(3)]
        self.assertEqual(states, ["20", "20", "2"])

    async def test_a_failed_invoice_is_asked_for_again(self):
        for number, status in (("A22", "22"), ("A24", "24")):
            await self.control("faults", {"nuonuo": {"fail": status}})
            await self.issue(self.access, orderNo=number)
            (failed,) = (await self.query(self.access, number))["result"]
            self.assertEqual((failed["status"], failed["failCause"] != ""), (status, True))
            await self.control("faults", {"nuonuo": {"fail": None}})
            # Where only the file's signature failed, the number stays.
            before = failed["allElectronicInvoiceNumber"]
            self.assertEqual((await self.call(RETRY, {"orderno": number}, self.access))["code"], "E0000")
            (done,) = (await self.query(self.access, number))["result"]
            self.assertEqual(done["status"], "2")
            self.assertIn(before, ("", done["allElectronicInvoiceNumber"]))
            self.assertEqual((await self.call(RETRY, {"orderno": number}, self.access))["code"], "E9504")
        self.assertEqual((await self.call(RETRY, {"orderno": "nobody"}, self.access))["code"], "E9500")

    async def test_what_is_not_signed_rightly_is_refused(self):
        content = {"orderNos": ["A1"], "isOfferInvoiceDetail": "0"}
        senid = uuid.uuid4().hex
        for code, headers, changes in (
            ("070206", {"X-Nuonuo-Sign": "AAAA"}, {}),
            ("070201", {}, {"appkey": "another"}),
            ("070202", {}, {"nonce": "1234"}),
            ("070203", {}, {"timestamp": "1716171072000"}),
            ("070204", {}, {"timestamp": "1716170000"}),
            ("070208", {"method": "nuonuo.OpeMplatform.unknown"}, {}),
            ("E9500", {}, {"senid": senid}),
            ("070207", {}, {"senid": senid}),
        ):
            with self.subTest(code):
                self.assertEqual((await self.call(QUERY, content, self.access, headers, **changes))["code"], code)

    async def test_an_order_that_the_tax_office_would_not_take_is_refused(self):
        def with_line(**changes) -> dict:
            order = copy.deepcopy(self.order())
            order["invoiceDetail"][0] |= changes
            return order

        wrong = [
            self.order(buyerName=...), self.order(buyerName=""), self.order(salerTaxNum="91430100MA4L00003Q"),
            self.order(orderNo="x" * 21), self.order(invoiceDate="2024-05-20"), self.order(extra="1"),
            self.order(invoiceLine="bs", buyerTaxNum=""), self.order(invoiceDetail=[]), with_line(goodsCode="304"),
            with_line(tax="12.44"), with_line(taxExcludedAmount="200.00", tax="20.00"), with_line(price="219.00"),
            with_line(taxRate="6"), with_line(num=1),
        ]  # fmt: skip
        for order in wrong:
            with self.subTest(order=order):
                self.assertEqual((await self.call(ISSUE, {"order": order}, self.access))["code"], "E9505")
        self.assertEqual((await self.read("/invoices.json"))["invoices"], [])

    async def test_invoices_are_refused_with_a_chosen_code(self):
        await self.control("faults", {"nuonuo": {"refuse": "E9106"}})
        self.assertEqual((await self.issue(self.access))["code"], "E9106")
        self.assertEqual((await self.query(self.access))["code"], "E9500")


if __name__ == "__main__":
    unittest.main()
