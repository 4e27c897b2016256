"""The bank's front-end seen from the platform."""

import unittest

import aiohttp
from support import OutsideTest

ORDER = {
    "out_biz_no": "T20230422A0007",
    "payee_name": "湖南某某科技有限公司",
    "payee_account": "43050177000000000001",
    "bank_name": "中国建设银行",
    "branch_cnaps": "105551000018",
    "payee_type": 1,
    "amount_fen": 1,
    "memo": "7K3MPQ",
    "purpose": "账户验证",
}
PATH = "/bank/transfers/T20230422A0007"


class BankTransfers(OutsideTest):
    async def submit(self, **changes) -> tuple[int, dict]:
        order = {name: value for name, value in (ORDER | changes).items() if value is not ...}
        return await self.bank("POST", "/bank/transfers", order)

    async def test_a_transfer_is_accepted_once_and_posted_when_asked(self):
        self.assertEqual(await self.submit(), (200, {"status": "ACCEPTED"}))
        self.assertEqual(await self.submit(), (200, {"status": "ACCEPTED"}))
        (memo,) = (await self.read("/messages.json"))["memos"]
        self.assertEqual(
            (memo["memo"], memo["payee_account"], memo["status"]), ("7K3MPQ", ORDER["payee_account"], "PENDING")
        )
        status, answer = await self.bank("GET", PATH)
        self.assertEqual((status, answer["status"]), (200, "SUCCESS"))
        self.assertRegex(answer["bank_serial"], r"^20240520[0-9]{12}$")
        self.assertEqual(answer["posted_at"], "2024-05-20T02:11:12.000Z")

    async def test_the_number_is_not_used_for_another_transfer(self):
        await self.submit()
        status, answer = await self.submit(memo="8K3MPQ")
        self.assertEqual((status, answer["code"]), (409, "DUPLICATE_DIFFERENT"))

    async def test_an_unknown_number_is_not_found(self):
        self.assertEqual((await self.bank("GET", PATH))[1]["status"], "NOT_FOUND")

    async def test_states_are_set_by_hand(self):
        await self.submit()
        for status in ("RETURNED", "FAILED", "SUCCESS", "PENDING"):
            await self.control("bank/T20230422A0007", {"status": status})
            self.assertEqual((await self.bank("GET", PATH))[1]["status"], status)
        await self.control("bank/T20230422A0007", {"status": "FAILED", "code": "E1"})
        answer = (await self.bank("GET", PATH))[1]
        self.assertEqual((answer["code"], answer["msg"], answer["bank_serial"]), ("E1", "交易失败", None))
        await self.control("bank/T20230422A0007", {"status": "UNKNOWN"})
        self.assertEqual((await self.bank("GET", PATH))[0], 503)
        await self.control("bank/T20230422A0007", {"status": "LOST"}, 400)
        await self.control("bank/nobody", {"status": "SUCCESS"}, 404)

    async def states(self, questions: int) -> list[str]:
        found = []
        for _ in range(questions):
            status, answer = await self.bank("GET", PATH)
            found.append(answer["status"] if status == 200 else answer["code"])
        return found

    async def test_a_transfer_takes_its_time_and_comes_back(self):
        await self.submit()
        answers = ["PENDING", "UNKNOWN", "PENDING", "SUCCESS", "RETURNED"]
        await self.control("bank/T20230422A0007", {"answers": answers})
        self.assertEqual(await self.states(7), [*answers, "RETURNED", "RETURNED"])
        answer = (await self.bank("GET", PATH))[1]
        self.assertEqual(answer["code"], "NAME_MISMATCH")
        self.assertRegex(answer["bank_serial"], r"^20240520[0-9]{12}$")
        # What is set by hand ends what was to come.
        await self.control("bank/T20230422A0007", {"answers": ["PENDING", "FAILED"]})
        await self.control("bank/T20230422A0007", {"status": "SUCCESS"})
        self.assertEqual(await self.states(2), ["SUCCESS", "SUCCESS"])

    async def test_transfers_to_come_are_told_how_they_go(self):
        await self.control("bank", {"answers": ["PENDING", "PENDING", "SUCCESS"]})
        await self.submit()
        self.assertEqual(await self.states(4), ["PENDING", "PENDING", "SUCCESS", "SUCCESS"])
        await self.control("bank", {"answers": ["PENDING"]})
        await self.control("reset", {"records": True})
        await self.submit()
        self.assertEqual(await self.states(1), ["SUCCESS"])

    async def test_answers_that_no_bank_gives_are_refused(self):
        await self.submit()
        for wish in ({"answers": ["LOST"]}, {"answers": "PENDING"}, {"answers": ["PENDING"] * 101}):
            await self.control("bank", wish, 400)
            await self.control("bank/T20230422A0007", wish, 400)
        await self.control("bank/T20230422A0007", {"answers": [], "status": "SUCCESS"}, 400)

    async def test_a_bank_may_not_know_whether_it_took_a_transfer(self):
        await self.control("faults", {"bank": {"unknown": 1}})
        self.assertEqual(await self.submit(), (200, {"status": "UNKNOWN"}))
        self.assertEqual(await self.states(1), ["SUCCESS"])
        self.assertEqual(await self.submit(), (200, {"status": "ACCEPTED"}))
        self.assertEqual(len((await self.read("/messages.json"))["memos"]), 1)

    async def test_a_branch_is_optional(self):
        self.assertEqual((await self.submit(branch_cnaps=...))[0], 200)

    async def test_fields_are_checked(self):
        for changes in (
            {"amount_fen": 2},
            {"amount_fen": "1"},
            {"amount_fen": True},
            {"payee_type": 3},
            {"memo": "x" * 21},
            {"memo": ""},
            {"out_biz_no": "T" * 21},
            {"out_biz_no": "T-1"},
            {"payee_account": "12345"},
            {"branch_cnaps": "1"},
            {"purpose": ...},
            {"more": "x"},
        ):
            with self.subTest(changes):
                status, answer = await self.submit(**changes)
                self.assertEqual((status, answer["code"]), (400, "INVALID_PARAMETER"))

    async def test_signatures_are_checked(self):
        for code, changes in (
            ("BAD_SIGNATURE", {"headers": {"X-Signature": "0" * 64}}),
            ("UNKNOWN_CLIENT", {"headers": {"X-Client-Id": "x"}}),
            ("MISSING_SIGNATURE", {"headers": {"X-Signature": ""}}),
            ("BAD_TIMESTAMP", {"stamp": str(int(self.clock().timestamp()) - 301)}),
            ("BAD_TIMESTAMP", {"stamp": "soon"}),
        ):
            with self.subTest(code):
                status, answer = await self.bank("GET", PATH, **changes)
                self.assertEqual((status, answer["code"]), (401, code))

    async def test_faults(self):
        await self.control("faults", {"bank": {"refuse": "ACCOUNT_INVALID"}})
        self.assertEqual((await self.submit())[1], {"status": "REJECTED", "code": "ACCOUNT_INVALID"})
        await self.control("faults", {"bank": {"refuse": None, "timeout": 1}})
        with self.assertRaises(aiohttp.ServerDisconnectedError):
            await self.submit()
        self.assertEqual((await self.bank("GET", PATH))[1]["status"], "SUCCESS")


if __name__ == "__main__":
    unittest.main()
