"""Delivery receipts: pushed by hand, or by themselves where a switch says so."""

import asyncio
import unittest

from aiohttp import web
from support import MOBILE, OutsideTest


class Receipts(OutsideTest):
    async def push(self, number: str, status: int = 200, **more) -> dict:
        wish = {"biz_id": number, "platform": self.platform.base} | more
        return await self.control("sms/receipt", wish, status)

    async def test_aliyun_pushes_as_it_is_documented(self):
        _, answer = await self.send_sms(OutId="o-1")
        told = await self.push(answer["BizId"])
        self.assertEqual(
            told["pushes"], [{"status": 200, "body": '{"code":0,"msg":"接收成功"}', "accepted": True}]
        )
        ((path, reports),) = self.platform.receipts
        self.assertEqual(path, "/api/notify/sms/aliyun/" + self.SECRETS["sms"]["receipt_token"])
        self.assertEqual(
            reports,
            [
                {
                    "phone_number": MOBILE,
                    "send_time": "2024-05-20 10:11:12",
                    "report_time": "2024-05-20 10:11:12",
                    "success": True,
                    "err_code": "DELIVERED",
                    "err_msg": "用户接收成功",
                    "sms_size": "1",
                    "biz_id": answer["BizId"],
                    "out_id": "o-1",
                }
            ],
        )

    async def test_tencent_pushes_as_it_is_documented(self):
        answer = await self.send_tencent()
        serial = answer["SendStatusSet"][0]["SerialNo"]
        told = await self.push(serial, success=False, code="MK:0001")
        self.assertTrue(told["pushes"][0]["accepted"])
        ((path, (report,)),) = self.platform.receipts
        self.assertTrue(path.startswith("/api/notify/sms/tencent/"))
        self.assertEqual((report["sid"], report["report_status"], report["errmsg"]), (serial, "FAIL", "MK:0001"))
        self.assertEqual((report["nationcode"], report["mobile"]), ("86", MOBILE))

    async def test_a_receipt_may_come_more_than_once_or_to_a_wrong_address(self):
        _, answer = await self.send_sms()
        told = await self.push(answer["BizId"], times=3, token="wrong")
        self.assertEqual(len(told["pushes"]), 3)
        self.assertTrue(all(path.endswith("/wrong") for path, _ in self.platform.receipts))

    async def test_another_reply_is_not_accepted(self):
        _, answer = await self.send_sms()
        self.platform.answers.append(web.Response(text="ok"))
        self.assertFalse((await self.push(answer["BizId"]))["pushes"][0]["accepted"])

    async def test_the_switch_makes_receipts_come_by_themselves(self):
        await self.control("faults", {"sms": {"receipts_to": self.platform.base}})
        await self.send_sms()
        await self.send_tencent()
        for _ in range(100):
            if len(self.platform.receipts) == 2:
                break
            await asyncio.sleep(0.01)
        paths = sorted(path.split("/")[4] for path, _ in self.platform.receipts)
        self.assertEqual(paths, ["aliyun", "tencent"])
        _, answer = await self.send_sms()
        told = await self.control("sms/receipt", {"biz_id": answer["BizId"]})
        self.assertTrue(told["pushes"][0]["accepted"])

    async def test_misuse(self):
        await self.push("unknown", 404)
        _, answer = await self.send_sms()
        await self.control("sms/receipt", {"biz_id": answer["BizId"]}, 400)
        await self.push(answer["BizId"], 400, success="yes")
        await self.push(answer["BizId"], 400, times=0)
        told = await self.push(answer["BizId"], platform="http://192.0.2.1")
        self.assertEqual(told["pushes"][0]["error"], "the platform is not on this machine")


if __name__ == "__main__":
    unittest.main()
