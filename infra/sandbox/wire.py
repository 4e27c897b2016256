"""What the HTTP sides share: strict decoding, control calls, answers that never come."""

import json
from urllib.parse import parse_qsl

from aiohttp import web

from .state import Misuse, World

FORM = "application/x-www-form-urlencoded"
PARAMETERS_MAX = 100


def decoded_pairs(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=PARAMETERS_MAX)


async def no_answer(world: World, request: web.Request) -> web.Response:
    """Keeps the connection until the caller has surely given up, then breaks it."""
    await world.pause(world.hold_seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=504)


async def control_body(request: web.Request, names: set[str]) -> dict:
    """The JSON object of a control call; names that nobody knows are refused."""
    if request.content_type != "application/json":
        raise Misuse("control calls are application/json", 415)
    try:
        wish = json.loads(await request.read())
    except ValueError:
        raise Misuse("the body is not JSON") from None
    if not isinstance(wish, dict):
        raise Misuse("the body is not an object")
    unknown = sorted(set(wish) - names)
    if unknown:
        raise Misuse(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(names))}")
    return wish
