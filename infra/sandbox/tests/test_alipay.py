"""The payment gateway seen from the merchant."""

import asyncio
import csv
import io
import json
import unittest
import zipfile

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from support import OutsideTest, private_key, rsa_check, rsa_sign

NUMBER = "20230422A0007_01"


class Admission(OutsideTest):
    async def refused(self, sub_code: str, biz=None, method="alipay.trade.query", sign_anew=None, **changes):
        params = self.alipay_params(method, {"out_trade_no": NUMBER} if biz is None else biz, **changes)
        if sign_anew is not None:
            params |= sign_anew
        answer = json.loads(await self.alipay_raw(params))
        self.assertEqual(list(answer), ["error_response"])
        self.assertEqual(answer["error_response"]["sub_code"], sub_code)
        return answer["error_response"]

    async def test_a_wrong_signature_is_told_with_the_string_that_was_expected(self):
        error = await self.refused("isv.invalid-signature", sign_anew={"biz_content": '{"out_trade_no":"x"}'})
        self.assertEqual(error["code"], "40002")
        self.assertIn('biz_content={"out_trade_no":"x"}&charset=utf-8', error["sub_msg"])

    async def test_a_parameter_that_was_not_signed_breaks_the_signature(self):
        await self.refused("isv.invalid-signature", sign_anew={"return_url": "http://127.0.0.1/"})

    async def test_public_parameters_are_needed(self):
        for name in ("app_id", "method", "timestamp", "charset", "version"):
            error = await self.refused(f"isv.missing-{name.replace('_', '-')}", **{name: ""})
            self.assertEqual(error["code"], "40001")
        await self.refused("isv.missing-signature", sign_anew={"sign": ""})

    async def test_public_parameters_are_checked(self):
        await self.refused("isv.invalid-app-id", app_id="2021000000000001")
        await self.refused("isv.invalid-signature-type", sign_type="RSA")
        await self.refused("isv.invalid-charset", charset="GBK")
        await self.refused("isv.invalid-format", format="XML")
        await self.refused("isv.invalid-version", version="2.0")
        await self.refused("isv.invalid-method", method="alipay.trade.pay")

    async def test_the_time_is_beijing_time_in_its_format(self):
        for text in ("2024-05-20T10:11:12", "2024-5-20 10:11:12", "2024-05-20 02:11:12", "1716171072"):
            await self.refused("isv.invalid-timestamp", timestamp=text)

    async def test_a_parameter_in_query_and_form_is_refused(self):
        params = self.alipay_params("alipay.trade.query", {"out_trade_no": NUMBER})
        async with self.http.post(
            f"{self.base}/alipay/gateway.do", params={"app_id": params["app_id"]}, data=params
        ) as answer:
            self.assertEqual(json.loads(await answer.text())["error_response"]["sub_code"], "isv.invalid-parameter")

    async def test_all_parameters_may_come_in_the_form(self):
        params = self.alipay_params("alipay.trade.query", {"out_trade_no": NUMBER})
        async with self.http.post(f"{self.base}/alipay/gateway.do", data=params) as answer:
            self.assertEqual(answer.content_type, "text/html")
            self.assertIn("ACQ.TRADE_NOT_EXIST", await answer.text())


class Precreate(OutsideTest):
    async def test_a_code_is_given_and_its_slashes_are_escaped(self):
        biz = {"out_trade_no": NUMBER, "total_amount": "220.00", "subject": "CA数字证书"}
        text = await self.alipay_raw(self.alipay_params("alipay.trade.precreate", biz))
        self.assertIn('"qr_code":"https:\\/\\/qr.alipay.com\\/bax', text)

    async def test_fields_are_checked(self):
        for changes in (
            {"total_amount": "220"},
            {"total_amount": "220.0"},
            {"total_amount": "0.00"},
            {"total_amount": "0220.00"},
            {"total_amount": "100000000.01"},
            {"total_amount": 220.00},
            {"out_trade_no": "20230422A0007-01"},
            {"out_trade_no": "x" * 65},
            {"subject": "a/b"},
            {"subject": "a&b=c"},
            {"subject": ""},
            {"body": "x" * 129},
            {"timeout_express": "30"},
            {"timeout_express": "16d"},
            {"time_expire": "2024-05-20 10:11:12"},
            {"time_expire": "tomorrow"},
            {"seller_id": "2088000000000001"},
            {"product_code": "OTHER"},
            {"timeout_expres": "30m"},
        ):
            with self.subTest(changes):
                self.assertEqual(
                    (await self.precreate(**{"number": NUMBER} | _number(changes)))["sub_code"], "ACQ.INVALID_PARAMETER"
                )
        biz = {"out_trade_no": NUMBER, "total_amount": "1.00", "subject": "x"}
        for url in ("ftp://127.0.0.1/", "/api", "https://ca.example.com/notify?x=1"):
            text = await self.alipay_raw(self.alipay_params("alipay.trade.precreate", biz, notify_url=url))
            self.assertIn("ACQ.INVALID_PARAMETER", text)

    async def test_the_same_again_gives_the_same_code(self):
        first = await self.precreate(timeout_express="30m")
        self.assertEqual(await self.precreate(timeout_express="29m"), first)

    async def test_the_same_number_with_other_content_is_refused(self):
        await self.precreate()
        for changes in ({"total_amount": "220.01"}, {"subject": "CA数字证书"}, {"body": "x"}):
            self.assertEqual((await self.precreate(**changes))["sub_code"], "ACQ.CONTEXT_INCONSISTENT")

    async def test_there_is_no_trade_before_a_scan(self):
        await self.precreate()
        for method in ("query", "close", "refund"):
            answer = await self.alipay(f"alipay.trade.{method}", out_trade_no=NUMBER, refund_amount="220.00")
            self.assertEqual((answer["code"], answer["sub_code"]), ("40004", "ACQ.TRADE_NOT_EXIST"))
        # The refused close does not stop a scan.
        await self.control("alipay/pay", {"out_trade_no": NUMBER})
        self.assertEqual(
            (await self.alipay("alipay.trade.query", out_trade_no=NUMBER))["trade_status"], "TRADE_SUCCESS"
        )

    async def test_a_code_dies_after_its_time(self):
        await self.precreate(timeout_express="30m")
        self.clock.move(minutes=30)
        await self.control("alipay/scan", {"out_trade_no": NUMBER}, 409)
        await self.precreate("LONG", timeout_express="1d")
        self.clock.move(hours=2)
        await self.control("alipay/scan", {"out_trade_no": "LONG"}, 409)

    async def test_a_scanned_trade_closes_at_its_time(self):
        await self.precreate(timeout_express="30m")
        await self.control("alipay/scan", {"out_trade_no": NUMBER})
        query = await self.alipay("alipay.trade.query", out_trade_no=NUMBER)
        self.assertEqual((query["trade_status"], query["total_amount"]), ("WAIT_BUYER_PAY", "220.00"))
        self.assertNotIn("send_pay_date", query)
        self.clock.move(minutes=30)
        self.assertEqual(
            (await self.alipay("alipay.trade.query", trade_no=query["trade_no"]))["trade_status"], "TRADE_CLOSED"
        )
        self.assertEqual((await self.precreate())["sub_code"], "ACQ.TRADE_HAS_CLOSE")
        await self.control("alipay/pay", {"out_trade_no": NUMBER}, 409)

    async def test_a_closed_trade_cannot_be_paid_and_a_paid_one_not_closed(self):
        await self.precreate()
        await self.control("alipay/scan", {"out_trade_no": NUMBER})
        self.assertEqual((await self.alipay("alipay.trade.close", out_trade_no=NUMBER))["code"], "10000")
        self.assertEqual(
            (await self.alipay("alipay.trade.close", out_trade_no=NUMBER))["sub_code"], "ACQ.TRADE_HAS_CLOSE"
        )
        await self.control("alipay/pay", {"out_trade_no": NUMBER}, 409)
        await self.precreate("SECOND")
        await self.control("alipay/pay", {"out_trade_no": "SECOND"})
        self.assertEqual(
            (await self.alipay("alipay.trade.close", out_trade_no="SECOND"))["sub_code"], "ACQ.TRADE_STATUS_ERROR"
        )
        self.assertEqual((await self.precreate("SECOND"))["sub_code"], "ACQ.TRADE_HAS_SUCCESS")


class Notifications(OutsideTest):
    def check_signature(self, values: dict[str, str]) -> None:
        text = "&".join(f"{k}={v}" for k, v in sorted(values.items()) if k not in ("sign", "sign_type"))
        rsa_check(self.SECRETS["alipay"]["alipay_public_key"], text, values["sign"])

    async def test_a_payment_is_told_once_and_signed(self):
        await self.precreate(body="a+b=100%&c", passback_params="x%3D1")
        told = await self.control("alipay/pay", {"out_trade_no": NUMBER})
        self.assertEqual(told, {"notifications": [{"status": 200, "body": "success"}]})
        (values,) = self.platform.received
        self.check_signature(values)
        secret = self.SECRETS["alipay"]
        for name, value in {
            "app_id": secret["app_id"],
            "seller_id": secret["seller_id"],
            "out_trade_no": NUMBER,
            "total_amount": "220.00",
            "trade_status": "TRADE_SUCCESS",
            "notify_type": "trade_status_sync",
            "gmt_payment": "2024-05-20 10:11:12",
            "subject": "CA数字证书 企业版",
            "body": "a+b=100%&c",
            "passback_params": "x%3D1",
        }.items():
            self.assertEqual(values[name], value)
        query = await self.alipay("alipay.trade.query", out_trade_no=NUMBER)
        self.assertEqual(query["trade_no"], values["trade_no"])
        self.assertEqual(query["send_pay_date"], "2024-05-20 10:11:12")
        await self.control("alipay/pay", {"out_trade_no": NUMBER}, 409)

    async def test_the_control_call_can_repeat_forge_and_drop(self):
        await self.precreate()
        told = await self.control("alipay/pay", {"out_trade_no": NUMBER, "times": 2})
        self.assertEqual(len(told["notifications"]), 2)
        self.assertEqual(self.platform.received[0], self.platform.received[1])
        await self.precreate("AMOUNT")
        await self.control("alipay/pay", {"out_trade_no": "AMOUNT", "amount": "0.01"})
        self.assertEqual(self.platform.received[-1]["total_amount"], "0.01")
        self.assertEqual((await self.alipay("alipay.trade.query", out_trade_no="AMOUNT"))["total_amount"], "0.01")
        await self.precreate("APP")
        await self.control("alipay/pay", {"out_trade_no": "APP", "app_id": "2021999999999999"})
        self.assertEqual(self.platform.received[-1]["app_id"], "2021999999999999")
        self.check_signature(self.platform.received[-1])
        await self.precreate("FORGED")
        await self.control("alipay/pay", {"out_trade_no": "FORGED", "bad_signature": True, "paid": False})
        with self.assertRaises(InvalidSignature):
            self.check_signature(self.platform.received[-1])
        self.assertEqual(
            (await self.alipay("alipay.trade.query", out_trade_no="FORGED"))["sub_code"], "ACQ.TRADE_NOT_EXIST"
        )
        await self.precreate("DROPPED")
        self.assertEqual(
            await self.control("alipay/pay", {"out_trade_no": "DROPPED", "notify": False}), {"notifications": []}
        )
        self.assertEqual(len(self.platform.received), 5)
        await self.control("alipay/notify", {"out_trade_no": "DROPPED"})
        self.assertEqual(self.platform.received[-1]["out_trade_no"], "DROPPED")

    async def test_nothing_is_repeated_when_the_control_call_waits(self):
        self.platform.answers = [web.Response(text="failure")]
        await self.precreate()
        told = await self.control("alipay/pay", {"out_trade_no": NUMBER})
        self.assertEqual(told["notifications"], [{"status": 200, "body": "failure"}])
        await asyncio.sleep(0.1)
        self.assertEqual(len(self.platform.received), 1)

    async def test_deliveries_go_on_until_the_exact_answer(self):
        self.platform.answers = [
            web.Response(text="failure"),
            web.Response(text="success\n"),
            web.Response(text="success", status=202),
            web.Response(status=302, headers={"Location": self.platform.url}),
        ]
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER, "retry": True})
        await self.until(lambda: len(self.platform.received) == 5)
        await asyncio.sleep(0.1)
        self.assertEqual(len(self.platform.received), 5)
        self.assertEqual(len({values["notify_id"] for values in self.platform.received}), 1)

    async def test_deliveries_end_after_the_eighth(self):
        self.platform.answers = [web.Response(status=500) for _ in range(20)]
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER, "retry": True})
        await self.until(lambda: len(self.platform.received) == 8)
        await asyncio.sleep(0.1)
        self.assertEqual(len(self.platform.received), 8)

    async def test_other_machines_are_never_called(self):
        biz = {"out_trade_no": NUMBER, "total_amount": "1.00", "subject": "x"}
        await self.alipay_raw(self.alipay_params("alipay.trade.precreate", biz, notify_url="http://192.0.2.1/notify"))
        told = await self.control("alipay/pay", {"out_trade_no": NUMBER})
        self.assertIn("not on this machine", told["notifications"][0]["error"])


class Refunds(OutsideTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER})

    async def refund(self, amount: str, **biz) -> dict:
        return await self.alipay("alipay.trade.refund", out_trade_no=NUMBER, refund_amount=amount, **biz)

    async def test_a_request_number_moves_money_once(self):
        first = await self.refund("100.00", out_request_no="R1")
        self.assertEqual((first["fund_change"], first["refund_fee"]), ("Y", "100.00"))
        again = await self.refund("100.00", out_request_no="R1")
        self.assertEqual((again["fund_change"], again["refund_fee"]), ("N", "100.00"))
        other = await self.refund("99.00", out_request_no="R1")
        self.assertEqual(other["sub_code"], "ACQ.DISCORDANT_REPEAT_REQUEST")
        rest = await self.refund("120.00", out_request_no="R2", query_options=["refund_detail_item_list"])
        self.assertEqual((rest["refund_fee"], rest["send_back_fee"]), ("220.00", "120.00"))
        self.assertEqual((await self.alipay("alipay.trade.query", out_trade_no=NUMBER))["trade_status"], "TRADE_CLOSED")
        self.assertEqual((await self.refund("120.00", out_request_no="R2"))["fund_change"], "N")
        self.assertEqual((await self.refund("0.01", out_request_no="R3"))["sub_code"], "ACQ.TRADE_HAS_CLOSE")

    async def test_no_more_than_was_paid_goes_back(self):
        await self.refund("219.99", out_request_no="R1")
        self.assertEqual((await self.refund("0.02", out_request_no="R2"))["sub_code"], "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")

    async def test_only_a_full_refund_goes_without_a_request_number(self):
        self.assertEqual((await self.refund("1.00"))["sub_code"], "ACQ.INVALID_PARAMETER")
        self.assertEqual((await self.refund("220.00"))["fund_change"], "Y")
        asked = await self.alipay("alipay.trade.fastpay.refund.query", out_trade_no=NUMBER, out_request_no=NUMBER)
        self.assertEqual((asked["refund_status"], asked["refund_amount"]), ("REFUND_SUCCESS", "220.00"))

    async def test_the_time_of_a_refund_is_told_to_who_asks_for_it(self):
        await self.refund("100.00", out_request_no="R1")
        for options, at in ({}, None), ({"query_options": ["gmt_refund_pay"]}, "2024-05-20 10:11:12"):
            asked = await self.alipay(
                "alipay.trade.fastpay.refund.query", out_trade_no=NUMBER, out_request_no="R1", **options
            )
            self.assertEqual((asked["refund_status"], asked.get("gmt_refund_pay")), ("REFUND_SUCCESS", at))

    async def test_a_refund_that_was_not_asked_for_has_no_status(self):
        asked = await self.alipay("alipay.trade.fastpay.refund.query", out_trade_no=NUMBER, out_request_no="R9")
        self.assertEqual(asked, {"code": "10000", "msg": "Success"})

    async def test_a_finished_trade_keeps_its_money(self):
        await self.control("alipay/finish", {"out_trade_no": NUMBER})
        self.assertEqual((await self.refund("220.00"))["sub_code"], "ACQ.TRADE_HAS_FINISHED")

    async def test_a_refund_is_told_as_a_refund(self):
        await self.refund("100.00", out_request_no="R1")
        await self.until(lambda: len(self.platform.received) == 2)
        values = self.platform.received[1]
        self.assertEqual((values["trade_status"], values["refund_fee"]), ("TRADE_SUCCESS", "100.00"))
        self.assertEqual((values["out_biz_no"], values["gmt_refund"]), ("R1", "2024-05-20 10:11:12.000"))
        self.assertEqual(values["total_amount"], "220.00")


class Faults(OutsideTest):
    async def test_an_error_of_the_system_changes_nothing(self):
        await self.control("faults", {"alipay": {"system_error": 1}})
        self.assertEqual((await self.precreate())["sub_code"], "ACQ.SYSTEM_ERROR")
        self.assertEqual((await self.read("/trades.json"))["trades"], [])
        self.assertEqual((await self.precreate())["code"], "10000")

    async def test_a_time_out_comes_after_the_work(self):
        await self.control("faults", {"alipay": {"timeout_after_processing": 1}})
        with self.assertRaises(Exception) as lost:
            await self.precreate()
        self.assertIn("Disconnected", type(lost.exception).__name__)
        self.assertEqual(len((await self.read("/trades.json"))["trades"]), 1)

    async def test_switches_for_notifications(self):
        await self.control(
            "faults", {"alipay": {"duplicate": 3, "wrong_app_id": "2021999999999999", "wrong_amount": "0.01"}}
        )
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER})
        self.assertEqual([v["total_amount"] for v in self.platform.received], ["0.01"] * 3)
        self.assertEqual(self.platform.received[0]["app_id"], "2021999999999999")
        await self.control("reset", {})
        await self.control("faults", {"alipay": {"drop_notify": True}})
        await self.precreate("DROPPED")
        self.assertEqual(await self.control("alipay/pay", {"out_trade_no": "DROPPED"}), {"notifications": []})

    async def test_a_signature_by_another_key(self):
        await self.control("faults", {"alipay": {"wrong_key": True}})
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER})
        values = self.platform.received[0]
        text = "&".join(f"{k}={v}" for k, v in sorted(values.items()) if k not in ("sign", "sign_type"))
        with self.assertRaises(InvalidSignature):
            rsa_check(self.SECRETS["alipay"]["alipay_public_key"], text, values["sign"])
        # Not our own key either.
        self.assertNotEqual(rsa_sign(private_key(self.SECRETS["alipay"]["app_private_key"]), text), values["sign"])


    async def test_refusals_and_time_outs_before_the_work_change_nothing(self):
        await self.control("faults", {"alipay": {"rate_limited": 1, "timeout_before_processing": 1}})
        with self.assertRaises(Exception) as lost:
            await self.precreate()
        self.assertIn("Disconnected", type(lost.exception).__name__)
        params = self.alipay_params("alipay.trade.query", {"out_trade_no": NUMBER})
        async with self.http.post(f"{self.base}/alipay/gateway.do", data=params) as answer:
            self.assertEqual(answer.status, 429)
            self.assertEqual(json.loads(await answer.text())["error_response"]["code"], "40005")
        self.assertEqual((await self.read("/trades.json"))["trades"], [])
        self.assertEqual((await self.precreate())["code"], "10000")

    async def test_a_notification_is_overtaken_by_the_next_one(self):
        await self.control("faults", {"alipay": {"reorder": 1}})
        await self.precreate("FIRST")
        await self.precreate("SECOND")
        self.assertEqual(await self.control("alipay/pay", {"out_trade_no": "FIRST"}), {"notifications": []})
        self.assertEqual(self.platform.received, [])
        await self.control("alipay/pay", {"out_trade_no": "SECOND"})
        self.assertEqual([values["out_trade_no"] for values in self.platform.received], ["SECOND", "FIRST"])

    async def test_a_notification_can_lie_about_the_amount(self):
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER, "notify": False})
        await self.control("alipay/notify", {"out_trade_no": NUMBER, "amount": "0.01"})
        self.assertEqual(self.platform.received[0]["total_amount"], "0.01")
        query = await self.alipay("alipay.trade.query", out_trade_no=NUMBER)
        self.assertEqual(query["total_amount"], "220.00")


class RefundFaults(OutsideTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER, "notify": False})

    async def refund(self, **biz) -> dict:
        wanted = {"out_trade_no": NUMBER, "refund_amount": "100.00", "out_request_no": "R1"} | biz
        return await self.alipay("alipay.trade.refund", **wanted)

    async def asked(self) -> dict:
        return await self.alipay("alipay.trade.fastpay.refund.query", out_trade_no=NUMBER, out_request_no="R1")

    async def trade(self) -> dict:
        return (await self.read("/trades.json"))["trades"][0]

    async def test_money_that_moved_is_counted(self):
        self.assertEqual(((await self.trade())["provider"], (await self.trade())["paid_fen"]), ("alipay", 22000))
        await self.refund()
        trade = await self.trade()
        self.assertEqual(trade["refunds"], [{"request_no": "R1", "fen": 10000, "status": "SUCCESS"}])
        self.assertEqual((trade["refunded_fen"], trade["refunded"]), (10000, "100.00"))
        await self.precreate("UNPAID")
        self.assertEqual((await self.read("/trades.json"))["trades"][1]["paid_fen"], 0)

    async def test_a_refund_waits_until_it_is_let_go(self):
        await self.control("faults", {"alipay": {"refund_pending": 1}})
        first = await self.refund()
        self.assertEqual((first["fund_change"], first["refund_fee"]), ("N", "0.00"))
        self.assertNotIn("refund_status", await self.asked())
        self.assertEqual((await self.refund())["fund_change"], "N")
        self.assertEqual((await self.trade())["refunded_fen"], 0)
        self.assertEqual(
            (await self.refund(out_request_no="R2", refund_amount="120.01"))["sub_code"],
            "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        )
        told = await self.control("alipay/refund", {"out_trade_no": NUMBER, "out_request_no": "R1"})
        self.assertEqual(told["notifications"], [{"status": 200, "body": "success"}])
        self.assertEqual(self.platform.received[0]["refund_fee"], "100.00")
        self.assertEqual((await self.asked())["refund_status"], "REFUND_SUCCESS")
        await self.control(
            "alipay/refund", {"out_trade_no": NUMBER, "out_request_no": "R1", "status": "CLOSED"}, 409
        )
        await self.control("alipay/refund", {"out_trade_no": NUMBER, "out_request_no": "R9"}, 404)

    async def test_a_refund_that_failed_may_be_asked_for_again(self):
        await self.control("faults", {"alipay": {"refund_closed": 1}})
        self.assertEqual((await self.refund())["fund_change"], "N")
        self.assertNotIn("refund_status", await self.asked())
        self.assertEqual((await self.trade())["refunds"][0]["status"], "CLOSED")
        self.assertEqual((await self.refund())["fund_change"], "Y")
        self.assertEqual((await self.trade())["refunded_fen"], 10000)

    async def test_without_money_nothing_is_made(self):
        await self.control("faults", {"alipay": {"not_enough": 1}})
        self.assertEqual((await self.refund())["sub_code"], "ACQ.SELLER_BALANCE_NOT_ENOUGH")
        self.assertEqual(await self.asked(), {"code": "10000", "msg": "Success"})
        self.assertEqual((await self.refund())["fund_change"], "Y")


class BillsOfADay(OutsideTest):
    async def ask(self, day: str) -> dict:
        return await self.alipay("alipay.data.dataservice.bill.downloadurl.query", bill_type="trade", bill_date=day)

    async def test_a_bill_of_today_can_be_wished_for(self):
        await self.control("faults", {"alipay": {"bill_of_today": True}})
        self.assertEqual((await self.ask("2024-05-20"))["code"], "10000")

    async def test_a_bill_is_ready_the_next_morning_for_thirty_seconds(self):
        await self.precreate()
        await self.control("alipay/pay", {"out_trade_no": NUMBER})
        await self.alipay("alipay.trade.refund", out_trade_no=NUMBER, refund_amount="20.00", out_request_no="R1")
        self.assertEqual((await self.ask("2024-05-20"))["sub_code"], "isp.bill_not_exist")
        self.clock.move(hours=23)
        url = (await self.ask("2024-05-20"))["bill_download_url"]
        async with self.http.get(url) as answer:
            archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
        (name,) = [name for name in archive.namelist() if name.endswith("业务明细.csv")]
        rows = list(csv.reader(io.StringIO(archive.read(name).decode("gb18030"))))
        rows = [[cell.strip() for cell in row] for row in rows if not row[0].startswith("#")]
        self.assertEqual([row[2] for row in rows], ["业务类型", "交易", "退款"])
        self.assertEqual([row[11] for row in rows[1:]], ["220.00", "-20.00"])
        self.assertEqual(rows[2][21], "R1")
        self.clock.move(seconds=31)
        async with self.http.get(url) as answer:
            self.assertEqual(answer.status, 403)


def _number(changes: dict) -> dict:
    """`precreate` calls the number by another name."""
    return {("number" if name == "out_trade_no" else name): value for name, value in changes.items()}


if __name__ == "__main__":
    unittest.main()
