"""Notifications of WeChat Pay, and what can go wrong with them."""

import asyncio
import unittest

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from wechat_support import NUMBER, WechatTest


class Notifications(WechatTest):
    async def test_a_payment_is_told_encrypted_and_signed(self):
        await self.native(attach="a+b")
        self.assertEqual(await self.pay(), [{"status": 204, "body": ""}])
        envelope, plain = self.opened()
        self.assertEqual(plain, await self.query())
        resource = envelope.pop("resource")
        self.assertRegex(envelope.pop("id"), r"^EV-20240520101112[0-9]{12}$")
        self.assertEqual(
            envelope,
            {
                "create_time": "2024-05-20T10:11:12+08:00",
                "resource_type": "encrypt-resource",
                "event_type": "TRANSACTION.SUCCESS",
                "summary": "支付成功",
            },
        )
        self.assertEqual(
            (resource["original_type"], resource["algorithm"], resource["associated_data"], len(resource["nonce"])),
            ("transaction", "AEAD_AES_256_GCM", "transaction", 12),
        )
        self.assertEqual(plain["attach"], "a+b")

    async def test_each_delivery_is_signed_anew(self):
        self.answers = [web.Response(status=500), web.Response(status=202), web.Response(text="{}")]
        await self.native()
        await self.pay(retry=True)
        await self.until(lambda: len(self.received) == 3)
        await asyncio.sleep(0.1)
        self.assertEqual(len(self.received), 3)
        self.assertEqual(len({body for _, body in self.received}), 1)
        self.assertEqual(len({headers["Wechatpay-Nonce"] for headers, _ in self.received}), 3)
        self.assertEqual(len({headers["Wechatpay-Signature"] for headers, _ in self.received}), 3)
        for place in range(3):
            self.opened(place)

    async def test_deliveries_end_after_the_sixteenth(self):
        self.answers = [web.Response(status=500) for _ in range(30)]
        await self.native()
        await self.pay(retry=True)
        await self.until(lambda: len(self.received) == 16)
        await asyncio.sleep(0.1)
        self.assertEqual(len(self.received), 16)

    async def test_nothing_is_repeated_when_the_control_call_waits(self):
        self.answers = [web.Response(status=500, text="x")]
        await self.native()
        self.assertEqual(await self.pay(), [{"status": 500, "body": "x"}])
        await asyncio.sleep(0.1)
        self.assertEqual(len(self.received), 1)

    async def test_the_control_call_can_repeat_forge_and_drop(self):
        await self.native()
        self.assertEqual(len(await self.pay(times=2)), 2)
        self.assertEqual(self.received[0][1], self.received[1][1])
        await self.native("AMOUNT_1")
        await self.pay("AMOUNT_1", amount="0.01")
        self.assertEqual(self.opened()[1]["amount"]["total"], 1)
        self.assertEqual((await self.query("AMOUNT_1"))["amount"]["total"], 1)
        await self.native("APP_01")
        await self.pay("APP_01", appid="wx9999999999999999")
        self.assertEqual(self.opened()[1]["appid"], "wx9999999999999999")
        self.assertEqual((await self.query("APP_01"))["appid"], self.secret["appid"])
        await self.native("FORGED")
        await self.pay("FORGED", bad_signature=True, paid=False)
        self.assertEqual(self.received[-1][0]["Wechatpay-Serial"], self.secret["public_key_id"])
        with self.assertRaises(InvalidSignature):
            self.opened()
        self.assertEqual((await self.query("FORGED"))["trade_state"], "NOTPAY")
        await self.native("DROPPED")
        self.assertEqual(await self.pay("DROPPED", notify=False), [])
        self.assertEqual(len(self.received), 5)
        told = await self.control("wechat/notify", {"out_trade_no": "DROPPED", "amount": 7})
        self.assertEqual(told["notifications"], [{"status": 204, "body": ""}])
        self.assertEqual(self.opened()[1]["amount"]["total"], 7)
        self.assertEqual((await self.query("DROPPED"))["amount"]["total"], 22000)

    async def test_control_calls_that_make_no_sense_are_refused(self):
        await self.native()
        await self.control("wechat/notify", {"out_trade_no": NUMBER}, 409)
        await self.control("wechat/pay", {"out_trade_no": "NOTHING"}, 404)
        await self.control("wechat/pay", {"out_trade_no": NUMBER, "time": 2}, 400)
        for amount in ("220", 0, -1, True, 1.5):
            await self.control("wechat/pay", {"out_trade_no": NUMBER, "amount": amount}, 400)
        await self.control("wechat/refund", {"out_refund_no": "NOTHING"}, 404)
        self.assertEqual((await self.query())["trade_state"], "NOTPAY")

    async def test_other_machines_are_never_called(self):
        await self.native(notify_url="https://192.0.2.1/notify")
        self.assertIn("not on this machine", (await self.pay())[0]["error"])


class Faults(WechatTest):
    async def set(self, **switches) -> None:
        await self.control("faults", {"wechat": switches})

    async def test_switches_for_notifications(self):
        await self.set(duplicate=3, wrong_app_id="wx9999999999999999", wrong_amount="0.01")
        await self.native()
        self.assertEqual(len(await self.pay()), 3)
        for place in range(3):
            _, plain = self.opened(place)
            self.assertEqual((plain["amount"]["total"], plain["appid"]), (1, "wx9999999999999999"))
        await self.control("reset", {})
        await self.set(drop_notify=True)
        await self.native("DROPPED")
        self.assertEqual(await self.pay("DROPPED"), [])
        self.assertEqual((await self.query("DROPPED"))["trade_state"], "SUCCESS")

    async def test_a_signature_by_another_key(self):
        await self.set(wrong_key=True)
        await self.native()
        await self.pay()
        self.assertEqual(self.received[0][0]["Wechatpay-Serial"], self.secret["public_key_id"])
        with self.assertRaises(InvalidSignature):
            self.opened()

    async def test_a_notification_is_overtaken_by_the_next_one(self):
        await self.set(reorder=1)
        await self.native("FIRST_1")
        await self.native("SECOND_1")
        self.assertEqual(await self.pay("FIRST_1"), [])
        self.assertEqual(await self.pay("SECOND_1"), [{"status": 204, "body": ""}])
        self.assertEqual([self.opened(place)[1]["out_trade_no"] for place in (0, 1)], ["SECOND_1", "FIRST_1"])

    async def test_what_is_held_back_goes_out_on_reset(self):
        await self.set(reorder=1)
        await self.native()
        await self.pay()
        await self.control("reset", {})
        await self.until(lambda: self.received)
        self.assertEqual(self.opened()[1]["out_trade_no"], NUMBER)

    async def test_a_probe_that_is_refused_is_followed_by_the_truth(self):
        await self.set(probe=1)
        self.answers = [web.Response(status=401)]
        await self.native()
        told = await self.pay()
        self.assertEqual([one["status"] for one in told], [401, 204])
        self.assertEqual([one.get("probe") for one in told], [True, None])
        self.assertTrue(self.received[0][0]["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/"))
        self.assertEqual(self.received[0][1], self.received[1][1])
        self.opened(1)
        self.assertFalse((await self.trade())["probe_accepted"])

    async def test_a_probe_that_is_accepted_is_remembered(self):
        await self.set(probe=1)
        await self.native()
        self.assertEqual([one["status"] for one in await self.pay()], [204])
        self.assertTrue((await self.trade())["probe_accepted"])

    async def test_keys_are_switched(self):
        await self.download_certificates()
        (certificate,) = set(self.trusted) - {self.secret["public_key_id"]}
        await self.native()
        for switch, serials in (
            ("public_key", [self.secret["public_key_id"]]),
            ("certificate", [certificate]),
            ("alternate", [certificate, self.secret["public_key_id"], certificate]),
            (None, [self.secret["public_key_id"]]),
        ):
            await self.set(key_switch=switch)
            for serial in serials:
                target = f"/v3/pay/transactions/out-trade-no/{NUMBER}?mchid={self.secret['mchid']}"
                _, headers, body = await self.raw("GET", target)
                self.assertEqual(headers["Wechatpay-Serial"], serial)
                self.verify(headers, body)
        await self.pay(notify=False)
        await self.set(key_switch="alternate")
        for serial in (certificate, self.secret["public_key_id"]):
            await self.control("wechat/notify", {"out_trade_no": NUMBER})
            self.opened()
            self.assertEqual(self.received[-1][0]["Wechatpay-Serial"], serial)


if __name__ == "__main__":
    unittest.main()
