"""The cloud APIs: one endpoint, the action in a header; SMS and identity checks behind it."""

import uuid

from aiohttp import web

from .acs3 import ApiError, Verifier
from .identity import Identity
from .receipts import Receipts
from .sms import Sms
from .state import World
from .wire import FORM, decoded_pairs, no_answer

SMS_ACTIONS = {"SendSms"}


class Cloud:
    """`POST /aliyun/`."""

    def __init__(self, world: World, receipts: Receipts):
        self.world = world
        config = world.config
        self._verifier = Verifier(
            {config.sms_key_id: config.sms_key_secret, config.identity_key_id: config.identity_key_secret}
        )
        self.sms = Sms(world, receipts)
        self.identity = Identity(world)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/aliyun", self.call),
            web.post("/aliyun/", self.call),
            web.post("/control/identity/deny", self.identity.control_deny),
            web.post("/control/identity/allow", self.identity.control_allow),
        ]

    async def call(self, request: web.Request) -> web.Response:
        request_id = str(uuid.uuid4()).upper()
        try:
            status, answer = self._answer(request, await request.read())
        except ApiError as error:
            status = error.status
            answer = {"Code": error.code, "Message": error.message, "HostId": request.host, "Recommend": ""}
        if answer is None:
            return await no_answer(self.world, request)
        return web.json_response({"RequestId": request_id} | answer, status=status)

    def _answer(self, request: web.Request, body: bytes) -> tuple[int, dict | None]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw_path, _, raw_query = request.raw_path.partition("?")
        try:
            query = decoded_pairs(raw_query)
            form = decoded_pairs(body.decode("ascii")) if request.content_type == FORM else []
        except ValueError:
            raise ApiError(400, "InvalidParameter", "The parameters are not well encoded.") from None
        # At home every action lives at the root of its own host; here all of them share a path.
        key_id = self._verifier.verify("POST", ("/", raw_path), query, headers, body, self.world.now())
        if len(dict(query)) != len(query) or len(dict(form)) != len(form):
            raise ApiError(400, "InvalidParameter", "A parameter comes twice.")
        action, version = headers["x-acs-action"].strip(), headers["x-acs-version"].strip()
        if action in SMS_ACTIONS:
            return self.sms.send(version, dict(query) | dict(form), allowed=key_id == self.world.config.sms_key_id)
        return self.identity.call(
            action, version, dict(query), dict(form), allowed=key_id == self.world.config.identity_key_id
        )
