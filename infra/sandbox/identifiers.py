"""Formats of Chinese identifiers, checked as the providers check them."""

import re
from datetime import date

MOBILE = re.compile(r"1[3-9][0-9]{9}")
PERSON_NAME = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff·A-Za-z .]{2,40}")
BANK_CARD = re.compile(r"[0-9]{12,19}")

CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PROVINCES = {
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91,
}  # fmt: skip


def is_mobile(text: str) -> bool:
    return MOBILE.fullmatch(text) is not None


def is_person_name(text: str) -> bool:
    return PERSON_NAME.fullmatch(text) is not None


def is_resident_id(text: str, today: date) -> bool:
    """GB 11643-1999: region, birthday, and the check character of ISO 7064 MOD 11-2."""
    if re.fullmatch(r"[0-9]{17}[0-9X]", text) is None:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))
    if text[17] != "10X98765432"[total % 11]:
        return False
    if text[0] != "9" and int(text[:2]) not in PROVINCES:
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return date(1900, 1, 1) <= born <= today


def is_credit_code(text: str) -> bool:
    """GB 32100-2015: 18 characters, the last one a check character modulo 31."""
    if len(text) != 18 or any(sign not in CREDIT_CODE_ALPHABET for sign in text):
        return False
    values = [CREDIT_CODE_ALPHABET.index(sign) for sign in text]
    total = sum(value * pow(3, place, 31) for place, value in enumerate(values[:17]))
    return values[17] == -total % 31


def is_bank_card(text: str) -> bool:
    return BANK_CARD.fullmatch(text) is not None


def passes_luhn(text: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
