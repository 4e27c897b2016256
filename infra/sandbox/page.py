"""The page for people: messages, memos and trades, refreshed by a little JavaScript."""

from pathlib import Path

from aiohttp import web

from .bank import Bank
from .state import World

STATIC = Path(__file__).resolve().parent / "static"
FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Page:
    """`/` and what it reads."""

    def __init__(self, world: World, bank: Bank):
        self.world = world
        self.bank = bank

    def routes(self) -> list[web.RouteDef]:
        return [*(web.get(path, self._file) for path in FILES), web.get("/messages.json", self._messages)]

    async def _file(self, request: web.Request) -> web.Response:
        name, content_type = FILES[request.path]
        text = (STATIC / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=content_type, charset="utf-8", headers=SECURITY_HEADERS)

    async def _messages(self, _request: web.Request) -> web.Response:
        body = {"sms": list(self.world.sms), "mail": list(self.world.mail), "memos": self.bank.memos()}
        return web.json_response(body, headers=SECURITY_HEADERS)
