"""Control calls, the page, and who may reach them."""

import unittest

from support import MOBILE, OutsideTest


class Control(OutsideTest):
    async def test_misspelt_switches_are_refused_and_nothing_is_set(self):
        await self.control("faults", {"alipay": {"system_error": 1, "systemerror": 1}}, 400)
        await self.control("faults", {"unionpay": {}}, 400)
        await self.control("faults", {"wechat": {"key_switch": "both"}}, 400)
        for amount in ("0.00", "220", 1):
            await self.control("faults", {"wechat": {"wrong_amount": amount}}, 400)
        await self.control("faults", {"alipay": {"system_error": -1}}, 400)
        await self.control("faults", {"alipay": {"drop_notify": 1}}, 400)
        await self.control("faults", {"alipay": 1}, 400)
        await self.control("alipay/pay", {"out_trade_no": "x", "time": 2}, 400)
        self.assertEqual((await self.read("/control/faults"))["alipay"]["system_error"], 0)

    async def test_reset_ends_faults_and_keeps_records(self):
        await self.send_sms()
        await self.control("faults", {"sms": {"refuse": "isv.OUT_OF_SERVICE"}})
        await self.control("identity/deny", {"id_number": MOBILE})
        now = await self.control("reset", {})
        self.assertEqual((now["sms"]["refuse"], now["denied"]), (None, {}))
        self.assertEqual(len((await self.read("/messages.json"))["sms"]), 1)
        await self.precreate()
        await self.control("reset", {"records": True})
        self.assertEqual((await self.read("/trades.json"))["trades"], [])
        self.assertEqual(await self.read("/messages.json"), {"sms": [], "mail": [], "memos": []})

    async def test_other_websites_are_kept_out(self):
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            async with self.http.post(f"{self.base}/control/reset", headers=headers) as answer:
                self.assertEqual(answer.status, 403)
        async with self.http.get(f"{self.base}/messages.json", headers={"Host": "evil.example"}) as answer:
            self.assertEqual(answer.status, 403)
        async with self.http.post(
            f"{self.base}/control/reset", data="{}", headers={"Content-Type": "text/plain"}
        ) as answer:
            self.assertEqual(answer.status, 415)

    async def test_the_page_runs_only_its_own_script(self):
        async with self.http.get(self.base + "/") as answer:
            self.assertIn("script-src 'self'", answer.headers["Content-Security-Policy"])
            self.assertIn('lang="zh-CN"', await answer.text())
        for path in ("/page.js", "/page.css"):
            async with self.http.get(self.base + path) as answer:
                self.assertEqual(answer.status, 200)
                self.assertNotIn("innerHTML", await answer.text())


class Journey(OutsideTest):
    async def test_one_order_meets_the_whole_outside_world(self):
        status, check = await self.cloud(
            "Mobile3MetaDetailVerify",
            "2019-03-07",
            self.SECRETS["identity"],
            form={"ParamType": "normal", "UserName": "张三", "IdentifyNum": "430102199003070012", "Mobile": MOBILE},
        )
        self.assertEqual((status, check["ResultObject"]["BizCode"]), (200, "1"))
        self.assertEqual((await self.send_sms())[1]["Code"], "OK")
        self.assertEqual((await self.precreate("20230422A0007_01"))["code"], "10000")
        told = await self.control("alipay/pay", {"out_trade_no": "20230422A0007_01"})
        self.assertEqual(told["notifications"], [{"status": 200, "body": "success"}])
        paid = await self.alipay("alipay.trade.query", out_trade_no="20230422A0007_01")
        self.assertEqual(paid["trade_status"], "TRADE_SUCCESS")
        back = await self.alipay(
            "alipay.trade.refund",
            trade_no=paid["trade_no"],
            refund_amount="220.00",
            out_request_no="20230422A0007_01R1",
        )
        self.assertEqual(back["fund_change"], "Y")
        (trade,) = (await self.read("/trades.json"))["trades"]
        self.assertEqual((trade["status"], trade["refunded"]), ("TRADE_CLOSED", "220.00"))


if __name__ == "__main__":
    unittest.main()
