"""Refunds of WeChat Pay."""

import asyncio
import unittest

from wechat_support import NUMBER, WechatTest

REFUNDS = "/v3/refund/domestic/refunds"


class Refunds(WechatTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.native()
        await self.pay()
        self.received.clear()

    async def set(self, **switches) -> None:
        await self.control("faults", {"wechat": switches})

    async def refund_refused(self, status: int, code: str, fen: int, number: str = "R1", **changes) -> None:
        found, answer = await self.refund(fen, number, **changes)
        self.assertEqual((found, answer["code"]), (status, code), answer)

    async def test_a_refund_is_under_way_first_and_told_when_it_arrived(self):
        status, answer = await self.refund(10000)
        self.assertEqual((status, answer["status"]), (200, "PROCESSING"))
        self.assertNotIn("success_time", answer)
        self.assertEqual(answer["amount"]["refund"], 10000)
        await self.until(lambda: self.received)
        envelope, plain = self.opened()
        self.assertEqual((envelope["event_type"], envelope["summary"]), ("REFUND.SUCCESS", "退款成功"))
        self.assertEqual(envelope["resource"]["original_type"], "refund")
        self.assertEqual(
            plain,
            {
                "mchid": self.secret["mchid"],
                "out_trade_no": NUMBER,
                "transaction_id": (await self.query())["transaction_id"],
                "out_refund_no": "R1",
                "refund_id": answer["refund_id"],
                "refund_status": "SUCCESS",
                "success_time": "2024-05-20T10:11:12+08:00",
                "amount": {"total": 22000, "refund": 10000, "payer_total": 22000, "payer_refund": 10000},
                "user_received_account": "支付用户零钱",
            },
        )
        self.assertEqual(await self.refund_status(), "SUCCESS")
        self.assertEqual((await self.query())["trade_state"], "REFUND")

    async def test_a_number_moves_money_once(self):
        await self.set(refund_pending=1)
        _, first = await self.refund(10000)
        self.assertEqual(await self.refund(10000), (200, first))
        for changes in ({"reason": "x"}, {"notify_url": "https://ca.example.com/x"}):
            await self.refund_refused(400, "INVALID_REQUEST", 10000, **changes)
        await self.refund_refused(400, "INVALID_REQUEST", 9999)
        await self.control("wechat/refund", {"out_refund_no": "R1"})
        status, again = await self.refund(10000)
        self.assertEqual((status, again["status"], again["refund_id"]), (200, "SUCCESS", first["refund_id"]))
        trade = await self.trade()
        self.assertEqual((trade["refunded_fen"], len(trade["refunds"])), (10000, 1))

    async def test_no_more_than_was_paid_goes_back(self):
        await self.set(refund_pending=1)
        await self.refund(21999)
        await self.refund_refused(400, "INVALID_REQUEST", 2, "R2")
        self.assertEqual((await self.trade())["refunded_fen"], 0)
        await self.control("wechat/refund", {"out_refund_no": "R1", "status": "CLOSED"})
        self.assertEqual((await self.query())["trade_state"], "SUCCESS")
        self.assertEqual((await self.refund(22000, "R2"))[0], 200)
        await self.until(lambda: len(self.received) == 2)
        trade = await self.trade()
        self.assertEqual(trade["refunded_fen"], 22000)
        self.assertEqual([one["status"] for one in trade["refunds"]], ["CLOSED", "SUCCESS"])

    async def test_fields_are_checked(self):
        amount = {"refund": 1, "total": 22000, "currency": "CNY"}
        for changes in (
            {"amount": amount | {"total": 21999}},
            {"amount": amount | {"refund": 22001}},
            {"amount": amount | {"refund": "1"}},
            {"amount": {"refund": 1, "total": 22000}},
            {"transaction_id": "4200000000"},
            {"out_refund_no": "x" * 65},
            {"out_refund_no": "R 1"},
            {"reason": "x" * 81},
            {"notify_url": "http://ca.example.com/x"},
            {"funds_account": "x"},
            {"refund_account": "x"},
        ):
            with self.subTest(changes):
                await self.refund_refused(400, "PARAM_ERROR", 1, **changes)
        await self.refund_refused(404, "RESOURCE_NOT_EXISTS", 1, out_trade_no="NOTHING")
        await self.native("UNPAID")
        await self.refund_refused(403, "TRADE_ERROR", 1, out_trade_no="UNPAID")
        await self.refused(404, "RESOURCE_NOT_EXISTS", "GET", f"{REFUNDS}/R1")

    async def test_an_order_is_refunded_by_its_other_number_and_in_silence(self):
        transaction_id = (await self.query())["transaction_id"]
        amount = {"refund": 22000, "total": 22000, "currency": "CNY"}
        body = {"transaction_id": transaction_id, "out_refund_no": "R@1", "amount": amount}
        self.assertEqual((await self.api("POST", REFUNDS, body))[0], 200)
        for _ in range(300):
            if await self.refund_status("R@1") == "SUCCESS":
                break
        self.assertEqual(await self.refund_status("R@1"), "SUCCESS")
        self.assertEqual(self.received, [])

    async def test_a_year_later_nothing_goes_back(self):
        self.clock.move(days=366)
        await self.refund_refused(403, "RULE_LIMIT", 1)

    async def test_refunds_end_as_the_bank_says(self):
        for number, switch, status, summary in (
            ("R1", "refund_abnormal", "ABNORMAL", "退款异常"),
            ("R2", "refund_closed", "CLOSED", "退款关闭"),
        ):
            await self.set(**{switch: 1})
            await self.refund(100, number)
            await self.until(lambda: self.received)
            envelope, plain = self.opened()
            self.received.clear()
            self.assertEqual((envelope["event_type"], envelope["summary"]), (f"REFUND.{status}", summary))
            self.assertEqual((plain["refund_status"], plain["out_refund_no"]), (status, number))
            self.assertNotIn("success_time", plain)
            self.assertEqual(await self.refund_status(number), status)
        self.assertEqual((await self.trade())["refunded_fen"], 0)

    async def test_a_control_call_ends_a_refund_and_waits(self):
        await self.set(refund_pending=2)
        await self.refund(100)
        self.assertEqual(await self.refund_status(), "PROCESSING")
        told = await self.control("wechat/refund", {"out_refund_no": "R1", "status": "ABNORMAL", "times": 2})
        self.assertEqual(len(told["notifications"]), 2)
        self.assertEqual(self.opened()[1]["refund_status"], "ABNORMAL")
        await self.control("wechat/refund", {"out_refund_no": "R1", "status": "SUCCESS", "notify": False})
        self.assertEqual(await self.refund_status(), "SUCCESS")
        await self.control("wechat/refund", {"out_refund_no": "R1", "status": "CLOSED"}, 409)
        await self.control("wechat/refund", {"out_refund_no": "R1", "status": "PROCESSING"}, 400)

    async def test_a_control_call_comes_before_the_bank(self):
        self.outside.wechat.refund_seconds = 0.2
        await self.refund(100)
        await self.control("wechat/refund", {"out_refund_no": "R1", "status": "ABNORMAL"})
        await asyncio.sleep(0.4)
        self.assertEqual((await self.refund_status(), len(self.received)), ("ABNORMAL", 1))

    async def test_an_abnormal_refund_takes_another_way(self):
        await self.set(refund_abnormal=1)
        _, refund = await self.refund(100)
        await self.until(lambda: self.received)
        target = f"{REFUNDS}/{refund['refund_id']}/apply-abnormal-refund"
        await self.refused(400, "PARAM_ERROR", "POST", target, {"out_refund_no": "R1", "type": "USER_BANK_CARD"})
        status, answer = await self.api("POST", target, {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD"})
        self.assertEqual((status, answer["status"]), (200, "PROCESSING"))
        await self.until(lambda: len(self.received) == 2)
        self.assertEqual(self.opened()[1]["refund_status"], "SUCCESS")
        await self.refused(
            400, "INVALID_REQUEST", "POST", target, {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD"}
        )

    async def test_without_money_nothing_is_made(self):
        await self.set(not_enough=1)
        await self.refund_refused(403, "NOT_ENOUGH", 100)
        await self.refused(404, "RESOURCE_NOT_EXISTS", "GET", f"{REFUNDS}/R1")
        self.assertEqual((await self.refund(100))[0], 200)

    async def test_a_refund_that_got_no_answer_was_made(self):
        await self.set(timeout_after_processing=1)
        with self.assertRaises(Exception) as lost:
            await self.refund(100)
        self.assertIn("Disconnected", type(lost.exception).__name__)
        self.assertEqual((await self.refund(100))[0], 200)
        self.assertEqual(len((await self.trade())["refunds"]), 1)

    async def test_a_payment_told_again_after_a_refund_says_success(self):
        await self.refund(100)
        await self.control("wechat/notify", {"out_trade_no": NUMBER})
        plain = next(
            plain
            for envelope, plain in (self.opened(place) for place in range(len(self.received)))
            if envelope["event_type"] == "TRANSACTION.SUCCESS"
        )
        self.assertEqual((plain["trade_state"], (await self.query())["trade_state"]), ("SUCCESS", "REFUND"))


if __name__ == "__main__":
    unittest.main()
