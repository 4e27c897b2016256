"""Daily bills of WeChat Pay."""

import gzip
import hashlib
import unittest

from wechat_support import NUMBER, WechatTest

DAY = "bill_date=2024-05-20"


class Bills(WechatTest):
    async def ask(self, query: str, kind: str = "tradebill") -> tuple[int, dict]:
        return await self.api("GET", f"/v3/bill/{kind}?{query}")

    async def fetch(self, query: str, kind: str = "tradebill") -> bytes:
        status, answer = await self.ask(query, kind)
        self.assertEqual((status, answer["hash_type"]), (200, "SHA1"), answer)
        status, headers, body = await self.raw("GET", answer["download_url"].removeprefix(f"{self.base}/wechat"))
        self.assertEqual(status, 200)
        self.assertNotIn("Wechatpay-Signature", headers)
        self.assertNotIn("Content-Encoding", headers)
        text = gzip.decompress(body) if "GZIP" in query else body
        self.assertEqual(hashlib.sha1(text).hexdigest(), answer["hash_value"])
        return text

    @staticmethod
    def rows(text: bytes) -> tuple[list[dict[str, str]], dict[str, str]]:
        """The bill's lines and its sums, each by the names of their columns."""
        lines = text.decode("utf-8-sig").split("\r\n")
        assert lines.pop() == ""
        cells = [line.removeprefix("`").split(",`") for line in lines]
        names, totals = lines[0].split(","), lines[-2].split(",")
        rows = [dict(zip(names, line, strict=True)) for line in cells[1:-2]]
        return rows, dict(zip(totals, cells[-1], strict=True))

    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.native(description="CA数字证书,企业版")
        await self.pay()
        await self.refund(2000)
        await self.until(lambda: len(self.received) == 2)
        await self.control("faults", {"wechat": {"refund_pending": 1}})
        await self.refund(1, "R2")

    async def test_a_bill_holds_what_moved(self):
        self.clock.move(days=1)
        rows, sums = self.rows(await self.fetch(f"{DAY}&bill_type=ALL&tar_type=GZIP"))
        paid, back = rows
        self.assertEqual((paid["交易状态"], paid["订单金额"], paid["退款金额"]), ("SUCCESS", "220.00", "0.00"))
        self.assertEqual((paid["商户订单号"], paid["交易时间"]), (NUMBER, "2024-05-20 10:11:12"))
        self.assertEqual((paid["商品名称"], paid["商户号"]), ("CA数字证书,企业版", self.secret["mchid"]))
        self.assertEqual(paid["微信订单号"], (await self.query())["transaction_id"])
        self.assertEqual((back["交易状态"], back["退款金额"], back["订单金额"]), ("REFUND", "20.00", "0.00"))
        self.assertEqual((back["商户退款单号"], back["退款状态"]), ("R1", "SUCCESS"))
        self.assertEqual((sums["总交易单数"], sums["订单总金额"], sums["退款总金额"]), ("2", "220.00", "20.00"))

    async def test_a_bill_can_hold_one_kind_and_come_as_it_is(self):
        self.clock.move(days=1)
        rows, _ = self.rows(await self.fetch(f"{DAY}&bill_type=REFUND"))
        self.assertEqual([row["商户退款单号"] for row in rows], ["R1"])
        rows, sums = self.rows(await self.fetch(f"{DAY}&bill_type=SUCCESS&tar_type=GZIP"))
        self.assertEqual(([row["订单金额"] for row in rows], sums["退款总金额"]), (["220.00"], "0.00"))
        self.assertNotIn("退款金额", rows[0])

    async def test_money_is_listed_too(self):
        self.clock.move(days=1)
        rows, sums = self.rows(await self.fetch(f"{DAY}&account_type=BASIC&tar_type=GZIP", "fundflowbill"))
        self.assertEqual([row["账户结余(元)"] for row in rows], ["220.00", "200.00"])
        self.assertEqual((sums["收入金额"], sums["支出金额"]), ("220.00", "20.00"))

    async def test_a_bill_is_ready_the_next_morning(self):
        self.clock.move(hours=23, minutes=48)
        status, answer = await self.ask(DAY)
        self.assertEqual((status, answer["code"]), (400, "NO_STATEMENT_EXIST"))
        self.clock.move(minutes=1)
        self.assertEqual((await self.ask(DAY))[0], 200)
        status, answer = await self.ask("bill_date=2024-05-19")
        self.assertEqual((status, answer["code"]), (400, "NO_STATEMENT_EXIST"))

    async def test_a_bill_of_today_can_be_wished_for(self):
        await self.control("faults", {"wechat": {"bill_of_today": True}})
        self.assertEqual(len(self.rows(await self.fetch(f"{DAY}&tar_type=GZIP"))[0]), 2)

    async def test_what_is_asked_for_is_checked(self):
        self.clock.move(days=1)
        for query in (
            "bill_date=20240520",
            "bill_date=2024-05-40",
            "bill_type=ALL",
            f"{DAY}&bill_type=NONE",
            f"{DAY}&tar_type=ZIP",
            f"{DAY}&sub_mchid=1",
            f"{DAY}&{DAY}",
        ):
            status, answer = await self.ask(query)
            self.assertEqual((status, answer["code"]), (400, "PARAM_ERROR"), query)
        self.clock.move(days=92)
        self.assertEqual((await self.ask(DAY))[1]["code"], "PARAM_ERROR")

    async def test_the_address_is_good_for_five_minutes_and_needs_a_signature(self):
        self.clock.move(days=1)
        target = (await self.ask(DAY))[1]["download_url"].removeprefix(f"{self.base}/wechat")
        self.assertEqual((await self.raw("GET", target, Authorization=None))[0], 401)
        self.assertEqual((await self.raw("GET", target))[0], 200)
        self.clock.move(minutes=5)
        self.assertEqual((await self.raw("GET", target))[0], 400)


if __name__ == "__main__":
    unittest.main()
