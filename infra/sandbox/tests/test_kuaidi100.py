"""The courier service seen from the platform."""

import hashlib
import json
import unittest
from urllib.parse import parse_qsl

from aiohttp import web
from support import OutsideTest

from sandbox import kuaidi100

TAKEN = '{"result":true,"returnCode":"200","message":"成功"}'


class Vector(unittest.TestCase):
    def test_the_signature_of_a_question(self):
        param = '{"com":"shunfeng","num":"SF1234567890123","phone":"13800138000"}'
        text = param + "KEY0123456789" + "CUSTOMER0001"
        self.assertEqual(kuaidi100.md5(text).upper(), "AF01DF69880FB813D95A44DCC2505D6C")


class Parcels(OutsideTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.secret = self.SECRETS["courier"]
        self.received: list[dict[str, str]] = []
        app = web.Application()
        app.add_routes([web.post("/callback", self._callback)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self.addAsyncCleanup(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.callback = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"

    async def _callback(self, request: web.Request) -> web.Response:
        self.received.append(dict(parse_qsl((await request.read()).decode("ascii"), strict_parsing=True)))
        return web.Response(text=TAKEN, content_type="application/json")

    async def post(self, path: str, form: dict) -> dict:
        async with self.http.post(f"{self.base}/kuaidi100/{path}", data=form) as answer:
            self.assertEqual(answer.status, 200)
            return await answer.json()

    async def subscribe(self, changes: dict | None = None, **parameters) -> str:
        param = {"company": "ems", "number": "EM000000001CN", "key": self.secret["key"]} | (changes or {})
        param["parameters"] = {"callbackurl": self.callback, "salt": "salt", "resultv2": "0"} | parameters
        return (await self.post("poll", {"schema": "json", "param": json.dumps(param)}))["returnCode"]

    async def ask(self, sign: str | None = None, **changes) -> dict:
        param = json.dumps({"com": "ems", "num": "EM000000001CN"} | changes)
        text = param + self.secret["key"] + self.secret["customer"]
        due = hashlib.md5(text.encode()).hexdigest().upper()
        return await self.post("poll/query.do", {"customer": self.secret["customer"], "sign": sign or due, "param": param})

    async def push(self, expected: int = 200, /, **wish) -> dict:
        return await self.control("kuaidi100/push", {"number": "EM000000001CN"} | wish, expected)

    async def test_a_subscription_is_taken_once(self):
        self.assertEqual(await self.subscribe(), "200")
        self.assertEqual(await self.subscribe(), "501")
        (parcel,) = (await self.read("/parcels.json"))["parcels"]
        self.assertEqual((parcel["company"], parcel["callback_url"]), ("ems", self.callback))

    async def test_wrong_subscriptions_are_refused(self):
        self.assertEqual(await self.subscribe({"key": "another"}), "600")
        self.assertEqual(await self.subscribe({"company": "pigeon"}), "702")
        self.assertEqual(await self.subscribe({"number": "1"}), "700")
        self.assertEqual(await self.subscribe({"company": "shunfeng"}), "700")
        self.assertEqual(await self.subscribe({"company": "shunfeng"}, phone="8000"), "200")
        self.assertEqual(await self.subscribe(callbackurl="nowhere"), "700")
        await self.control("faults", {"kuaidi100": {"refuse": "601"}})
        self.assertEqual(await self.subscribe(), "601")

    async def test_a_push_is_signed_with_the_salt_and_tells_the_events(self):
        await self.subscribe()
        told = await self.push(state="1", at="2024-05-20T08:00:00+08:00")
        self.assertEqual(told["deliveries"], [{"status": 200, "body": TAKEN}])
        await self.push(state="5", at="2024-05-20T01:00:00Z", times=2)
        self.assertEqual(len(self.received), 3)
        push = self.received[-1]
        self.assertEqual(push["sign"], hashlib.md5((push["param"] + "salt").encode()).hexdigest().upper())
        last = json.loads(push["param"])["lastResult"]
        self.assertEqual((last["state"], last["nu"]), ("5", "EM000000001CN"))
        self.assertEqual([event["time"] for event in last["data"]], ["2024-05-20 09:00:00", "2024-05-20 08:00:00"])

    async def test_pushes_go_out_in_any_order_and_with_a_wrong_signature(self):
        await self.subscribe()
        await self.push(state="3", at="2024-05-20T10:00:00+08:00")
        await self.push(state="0", at="2024-05-20T09:00:00+08:00")
        last = json.loads(self.received[-1]["param"])["lastResult"]
        self.assertEqual((last["state"], len(last["data"])), ("0", 1))
        await self.push(state="3", wrong_sign=True)
        push = self.received[-1]
        self.assertNotEqual(push["sign"], hashlib.md5((push["param"] + "salt").encode()).hexdigest().upper())

    async def test_only_what_makes_sense_is_pushed(self):
        await self.push(404, state="3")
        await self.subscribe()
        for wish in ({"state": "three"}, {"state": "3", "times": 0}, {"state": "3", "at": "noon"}, {"status": "lost"}):
            await self.push(400, **wish)
        self.assertEqual(self.received, [])

    async def test_nothing_is_pushed_to_another_machine(self):
        await self.subscribe(callbackurl="http://192.0.2.1/callback")
        (answer,) = (await self.push(state="0"))["deliveries"]
        self.assertIsNone(answer["status"])

    async def test_questions_are_signed_and_not_asked_too_often(self):
        self.assertEqual((await self.ask())["returnCode"], "500")
        self.clock.move(minutes=31)
        await self.subscribe()
        await self.push(state="5")
        self.assertEqual((await self.ask())["state"], "5")
        self.clock.move(minutes=29)
        self.assertEqual((await self.ask())["returnCode"], "502")
        self.assertEqual((await self.ask("00"))["returnCode"], "503")
        self.assertEqual((await self.ask(com="shunfeng", num="SF1"))["returnCode"], "408")


if __name__ == "__main__":
    unittest.main()
