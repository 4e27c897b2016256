"""How a provider's notifications leave: to this machine only, in order unless told otherwise."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from .state import World

# WeChat Pay waits for five seconds; a cold start on a busy machine gets more.
TIMEOUT_SECONDS = 10.0
ANSWER_MAX_BYTES = 4_096


class Delivery:
    """The notifications of one provider. `section` names its fault switches."""

    def __init__(self, world: World, section: str):
        self.world = world
        self._section = section
        self._held: list[Callable[[], Awaitable[list[dict]]]] = []
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def in_order(self, deliver: Callable[[], Awaitable[list[dict]]]) -> list[dict]:
        """Delivers, unless the switch `reorder` holds this one back until the next one went out."""
        if self.world.faults.take(self._section, "reorder"):
            self._held.append(deliver)
            return []
        answers = await deliver()
        await self.release()
        return answers

    async def release(self) -> None:
        """Sends what is held back."""
        held, self._held = self._held, []
        for deliver in held:
            await deliver()

    def forget(self) -> None:
        self._held.clear()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> dict:
        """One delivery and what came back."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        if not await is_loopback(urlsplit(url).hostname or ""):
            return {"status": None, "body": "", "error": "notify_url is not on this machine"}
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                raw = b""
                while len(raw) < ANSWER_MAX_BYTES and (piece := await answer.content.read(ANSWER_MAX_BYTES)):
                    raw += piece
                return {"status": answer.status, "body": raw.decode("utf-8", errors="replace")}
        except (aiohttp.ClientError, TimeoutError) as reason:
            return {"status": None, "body": "", "error": type(reason).__name__}


async def is_loopback(host: str) -> bool:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)
