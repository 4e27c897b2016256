"""Orders of WeChat Pay seen from the merchant."""

import json
import unittest

from wechat_support import NATIVE, NUMBER, WechatTest


class Admission(WechatTest):
    def target(self) -> str:
        return f"/v3/pay/transactions/out-trade-no/{NUMBER}?mchid={self.secret['mchid']}"

    async def sign_error(self, **changes: str) -> None:
        await self.sign_error_of(self.authorization("GET", self.target(), b"", **changes))

    async def sign_error_of(self, authorization: str | None) -> None:
        status, headers, body = await self.raw("GET", self.target(), Authorization=authorization)
        self.assertEqual((status, json.loads(body)["code"]), (401, "SIGN_ERROR"), body)
        self.assertNotIn("Wechatpay-Signature", headers)

    async def test_a_call_must_be_the_merchants(self):
        await self.sign_error_of(None)
        await self.sign_error(mchid="1900000001")
        await self.sign_error(serial_no=self.secret["certificate_serial"].lower())
        await self.sign_error(nonce_str="x" * 33)
        await self.sign_error(signature="AAAA")
        signed = self.authorization("GET", self.target(), b"")
        await self.sign_error_of(signed.replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"))
        await self.sign_error_of(signed.replace(",", ", "))
        await self.sign_error_of(signed.partition(",")[0])

    async def test_a_signature_counts_for_method_target_and_body(self):
        await self.sign_error_of(self.authorization("POST", self.target(), b""))
        await self.sign_error_of(self.authorization("GET", self.target().partition("?")[0], b""))
        await self.sign_error_of(self.authorization("GET", self.target(), b"{}"))
        self.assertEqual((await self.api("GET", self.target()))[0], 404)

    async def test_the_path_may_be_signed_as_it_is_called(self):
        signed = self.authorization("GET", "/wechat" + self.target(), b"")
        await self.native()
        status, headers, body = await self.raw("GET", self.target(), Authorization=signed)
        self.assertEqual(status, 200)
        self.verify(headers, body)

    async def test_a_call_is_good_for_five_minutes_and_once(self):
        for seconds, fits in ((-300, True), (300, True), (-301, False), (301, False)):
            stamp = str(int(self.clock().timestamp()) + seconds)
            signed = self.authorization("GET", self.target(), b"", timestamp=stamp)
            status, _, _ = await self.raw("GET", self.target(), Authorization=signed)
            self.assertEqual(status, 404 if fits else 401)
        signed = self.authorization("GET", self.target(), b"")
        self.assertEqual((await self.raw("GET", self.target(), Authorization=signed))[0], 404)
        await self.sign_error_of(signed)

    async def test_headers_are_needed(self):
        for headers in ({"Accept": None}, {"Accept": "text/html"}, {"User_Agent": None}):
            status, _, body = await self.raw("GET", self.target(), **headers)
            self.assertEqual((status, json.loads(body)["code"]), (400, "PARAM_ERROR"))
        body = json.dumps(self.order()).encode()
        status, _, answer = await self.raw("POST", NATIVE, body, Content_Type="text/plain")
        self.assertEqual((status, json.loads(answer)["code"]), (400, "PARAM_ERROR"))

    async def test_a_key_that_nobody_has_cannot_be_asked_for(self):
        status, answer = await self.api("GET", self.target(), Wechatpay_Serial="PUB_KEY_ID_0000000000")
        self.assertEqual((status, answer["code"]), (400, "PARAM_ERROR"))

    async def test_what_is_not_there_is_not_found(self):
        await self.refused(404, "RESOURCE_NOT_EXISTS", "GET", "/v3/pay/transactions/native")
        await self.refused(404, "RESOURCE_NOT_EXISTS", "GET", "/v3/nothing")


class Orders(WechatTest):
    async def test_an_order_gets_a_code_and_waits(self):
        self.assertRegex(await self.native(), r"^weixin://wxpay/bizpayurl\?pr=[0-9A-Za-z_-]{9}$")
        self.assertEqual(
            await self.query(),
            {
                "mchid": self.secret["mchid"],
                "appid": self.secret["appid"],
                "out_trade_no": NUMBER,
                "trade_state": "NOTPAY",
                "trade_state_desc": "订单未支付",
                "attach": "",
                "amount": {"total": 22000, "currency": "CNY"},
            },
        )

    async def test_fields_are_checked(self):
        for changes in (
            {"out_trade_no": "12345"},
            {"out_trade_no": "x" * 33},
            {"out_trade_no": "20230422/0007"},
            {"description": ""},
            {"description": "证" * 43},
            {"attach": None},
            {"attach": "x" * 129},
            {"amount": {"total": "22000"}},
            {"amount": {"total": 220.0}},
            {"amount": {"total": 0}},
            {"amount": {"total": True}},
            {"amount": {"total": 1, "currency": "USD"}},
            {"amount": {"total": 1, "payer_total": 1}},
            {"amount": {}},
            {"time_expire": "2024-05-20 10:41:12"},
            {"time_expire": "2024-05-20T10:41:12"},
            {"time_expire": "2024-05-20T10:61:12+08:00"},
            {"time_expire": "2024-05-20T10:11:12+08:00"},
            {"time_expire": "2024-05-28T10:11:12+08:00"},
            {"notify_url": "http://ca.example.com/notify"},
            {"notify_url": "https://ca.example.com/notify?x=1"},
            {"notify_url": "https://ca.example.com/notify?"},
            {"notify_url": "/notify"},
            {"scene_info": {"payer_client_ip": None}},
            {"scene_info": {"payer_client_ip": ""}},
            {"support_fapiao": "true"},
            {"outtradeno": "1"},
        ):
            with self.subTest(changes):
                await self.refused(400, "PARAM_ERROR", "POST", NATIVE, self.order() | changes)
        await self.refused(400, "MCH_NOT_EXISTS", "POST", NATIVE, self.order(mchid="1900000001"))
        await self.refused(400, "APPID_MCHID_NOT_MATCH", "POST", NATIVE, self.order(appid="wx0000000000000001"))
        for body in (b"[]", b"{", b'{"appid":"a","appid":"a"}'):
            status, _, answer = await self.raw("POST", NATIVE, body)
            self.assertEqual((status, json.loads(answer)["code"]), (400, "PARAM_ERROR"))
        self.assertEqual((await self.read("/trades.json"))["trades"], [])

    async def test_what_fits_is_taken(self):
        await self.native(
            "a_-|*1",
            time_expire="2024-05-20T02:41:12Z",
            attach="x" * 128,
            notify_url="https://ca.example.com/notify/wechat",
            description="证" * 42,
            scene_info={"payer_client_ip": "192.0.2.1"},
            support_fapiao=False,
        )
        self.assertEqual((await self.query("a_-%7C%2A1"))["attach"], "x" * 128)

    async def test_the_same_again_gives_a_fresh_code(self):
        first = await self.native(time_expire="2024-05-20T10:41:12+08:00")
        self.assertNotEqual(await self.native(time_expire="2024-05-20T10:41:12+08:00"), first)
        self.assertEqual(len((await self.read("/trades.json"))["trades"]), 1)

    async def test_the_same_number_with_other_content_is_refused(self):
        await self.native()
        for changes in ({"amount": {"total": 22001, "currency": "CNY"}}, {"description": "x"}, {"attach": "x"}):
            await self.refused(403, "OUT_TRADE_NO_USED", "POST", NATIVE, self.order(**changes))

    async def test_a_code_dies_after_two_hours_and_the_order_after_its_time(self):
        await self.native()
        self.clock.move(hours=2)
        await self.control("wechat/scan", {"out_trade_no": NUMBER}, 409)
        self.assertEqual((await self.query())["trade_state"], "NOTPAY")
        await self.native()
        self.assertTrue((await self.control("wechat/scan", {"out_trade_no": NUMBER}))["scanned"])
        await self.native("SHORT_1", time_expire="2024-05-20T12:20:00+08:00")
        self.clock.move(minutes=10)
        self.assertEqual((await self.query("SHORT_1"))["trade_state"], "CLOSED")
        again = self.order("SHORT_1", time_expire="2024-05-20T12:20:00+08:00")
        await self.refused(400, "ORDER_CLOSED", "POST", NATIVE, again)
        self.clock.move(days=7)
        self.assertEqual((await self.query())["trade_state"], "CLOSED")

    async def test_time_can_be_made_to_pass(self):
        await self.native()
        self.assertEqual((await self.control("wechat/expire", {"out_trade_no": NUMBER}))["status"], "CLOSED")
        await self.control("wechat/pay", {"out_trade_no": NUMBER}, 409)

    async def test_a_closed_order_cannot_be_paid_and_a_paid_one_not_closed(self):
        await self.native()
        self.assertEqual(await self.close(), (204, None))
        self.assertEqual((await self.query())["trade_state"], "CLOSED")
        self.assertEqual((await self.close())[1]["code"], "ORDER_CLOSED")
        await self.refused(400, "ORDER_CLOSED", "POST", NATIVE, self.order())
        await self.control("wechat/pay", {"out_trade_no": NUMBER}, 409)
        await self.native("SECOND_1")
        await self.pay("SECOND_1")
        status, answer = await self.close("SECOND_1")
        self.assertEqual((status, answer["code"]), (400, "ORDERPAID"))
        await self.refused(400, "ORDERPAID", "POST", NATIVE, self.order("SECOND_1"))
        self.assertEqual((await self.query("SECOND_1"))["trade_state"], "SUCCESS")

    async def test_an_order_that_nobody_made_does_not_exist(self):
        status, answer = await self.close("NOTHING_1")
        self.assertEqual((status, answer["code"]), (404, "ORDER_NOT_EXIST"))
        mchid = self.secret["mchid"]
        await self.refused(404, "ORDER_NOT_EXIST", "GET", f"/v3/pay/transactions/id/4200000000?mchid={mchid}")
        await self.refused(400, "PARAM_ERROR", "GET", f"/v3/pay/transactions/out-trade-no/{NUMBER}")
        await self.refused(400, "MCH_NOT_EXISTS", "GET", f"/v3/pay/transactions/out-trade-no/{NUMBER}?mchid=1")

    async def test_a_paid_order_is_found_by_either_number(self):
        await self.native(attach="a+b=100%&c")
        await self.pay()
        found = await self.query()
        self.assertEqual(
            found,
            found
            | {
                "trade_state": "SUCCESS",
                "trade_type": "NATIVE",
                "attach": "a+b=100%&c",
                "success_time": "2024-05-20T10:11:12+08:00",
                "amount": {"total": 22000, "payer_total": 22000, "currency": "CNY", "payer_currency": "CNY"},
            },
        )
        target = f"/v3/pay/transactions/id/{found['transaction_id']}?mchid={self.secret['mchid']}"
        self.assertEqual(await self.api("GET", target), (200, found))
        trade = await self.trade()
        self.assertEqual((trade["provider"], trade["paid_fen"], trade["refunded_fen"]), ("wechat", 22000, 0))
        self.assertEqual(trade["trade_no"], found["transaction_id"])


class FaultsOfCalls(WechatTest):
    async def set(self, **switches) -> None:
        await self.control("faults", {"wechat": switches})

    async def trades(self) -> int:
        return len((await self.read("/trades.json"))["trades"])

    async def test_refusals_change_nothing(self):
        for switch, status, code in (
            ("system_error", 500, "SYSTEM_ERROR"),
            ("rate_limited", 429, "RATELIMIT_EXCEEDED"),
        ):
            await self.set(**{switch: 1})
            await self.refused(status, code, "POST", NATIVE, self.order())
        self.assertEqual(await self.trades(), 0)
        await self.native()

    async def test_accepted_is_not_done(self):
        await self.set(accepted_not_done=1)
        self.assertEqual(await self.api("POST", NATIVE, self.order()), (202, None))
        self.assertEqual(await self.trades(), 0)
        await self.native()

    async def test_time_outs_come_before_or_after_the_work(self):
        for switch, known in (("timeout_before_processing", 0), ("timeout_after_processing", 1)):
            await self.set(**{switch: 1})
            with self.assertRaises(Exception) as lost:
                await self.native()
            self.assertIn("Disconnected", type(lost.exception).__name__)
            self.assertEqual(await self.trades(), known)

    async def test_faults_leave_certificates_alone(self):
        await self.set(system_error=1)
        self.assertEqual(len(await self.download_certificates()), 1)
        await self.refused(500, "SYSTEM_ERROR", "POST", NATIVE, self.order())


if __name__ == "__main__":
    unittest.main()
