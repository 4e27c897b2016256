"""Starts MiniStack, the local AWS, with the corrections that a local run needs.

The installed package is not touched: the corrections replace single names of the pinned version at run time, and the start stops
with a message when one of them is gone. Each stands in a function of its own with its reason.

Environment: MiniStack's own (GATEWAY_PORT, BIND_HOST, AUTH, PERSIST_STATE, STATE_DIR, S3_DATA_DIR, ...) and CHECKPOINT_SECONDS.
Arguments are not read: the directory of the run stands there, so that the process list shows whose process this is.
"""

import json
import logging
import os
import socketserver
import sys
import threading
import time
from importlib.metadata import version

SUPPORTED = "1.5.33"
SLOW_CHECKPOINT_SECONDS = 0.5

log = logging.getLogger("yinxin.launch")


def send_at_once():
    """The Runtime API writes head and body of an answer separately. Nagle's algorithm holds the second part back until the
    function's delayed acknowledgement of the first: 40 ms on every invocation."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def wait_briefly_for_logs():
    """After each invocation MiniStack waits 50 ms for log lines of a function that printed none. On one machine lines are there
    after a millisecond or two; a late line is still kept, with the next invocation."""
    from ministack.core.lambda_runtime import Worker

    drain = Worker._drain_stderr_bounded
    if len(drain.__defaults__ or ()) != 3:
        raise AttributeError("Worker._drain_stderr_bounded has other parameters")
    first_line, idle, cap = 0.002, 0.002, drain.__defaults__[2]
    drain.__defaults__ = (first_line, idle, cap)


def authorize_batches_as_single_calls():
    """AWS authorizes SQS's batch calls by the right to the single call (sqs:SendMessage and so on); there is no right of the batch
    call's own name that a role could have. MiniStack asks for one."""
    from ministack.core import iam_actions

    action_of = iam_actions._action_from_target

    def action(headers):
        name = action_of(headers)
        return name.removesuffix("Batch") if name in ("SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch") else name

    iam_actions._action_from_target = action


def bring_stream_records_again():
    """A function that reads a stream answers which record it stopped at (batchItemFailures). MiniStack passes over the answer, and
    the record would be lost. Here the batch then counts as failed and comes again as a whole; AWS brings what was not done."""
    from ministack.services import lambda_svc

    execute = lambda_svc._execute_function

    def executed(function, event, *arguments, **options):
        result = execute(function, event, *arguments, **options)
        records = event.get("Records") if isinstance(event, dict) else None
        body = result.get("body")
        if records and records[0].get("eventSource") == "aws:dynamodb" and not result.get("error"):
            body = json.loads(body) if isinstance(body, str) else body
            if isinstance(body, dict) and body.get("batchItemFailures"):
                result["error"] = True
        return result

    lambda_svc._execute_function = executed


def read_streams_from_their_start():
    """MiniStack keeps the positions of stream readers over a restart and not the streams, so that a reader waits until as many
    new records have come as it had read before. Here it begins at the start of the new, empty stream."""
    from ministack.services import lambda_svc

    restore = lambda_svc._restore_esm_positions

    def restored(store, positions):
        if store is not lambda_svc._dynamodb_stream_positions:
            restore(store, positions)

    lambda_svc._restore_esm_positions = restored


def understand_http_api_bodies():
    """SAM turns the HttpApi events of the functions into an OpenAPI document in AWS::ApiGatewayV2::Api.Body. MiniStack ignores
    Body, so that the API would have no routes. It also stores CORS settings under other names than it reads."""
    from ministack.services import apigateway
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id, properties, stack):
        api_id, attributes = create(logical_id, readable(properties), stack)
        replace_routes(apigateway, api_id, properties.get("Body"))
        return api_id, attributes

    def updated(physical_id, old, new, stack, logical_id=None):
        api_id, attributes = update(physical_id, readable(old), readable(new), stack, logical_id)
        replace_routes(apigateway, api_id, new.get("Body"))
        return api_id, attributes

    handlers["create"], handlers["update"] = created, updated


def readable(properties):
    """The properties of an API with what its Body says about name, tags and CORS in the places where MiniStack looks."""
    properties = dict(properties)
    body = properties.get("Body")
    cors = properties.get("CorsConfiguration")
    if isinstance(body, dict):
        properties.setdefault("ProtocolType", "HTTP")
        properties.setdefault("Name", body.get("info", {}).get("title"))
        named = {tag["name"]: tag.get("x-amazon-apigateway-tag-value", "") for tag in body.get("tags", [])}
        properties["Tags"] = named | (properties.get("Tags") or {})
        cors = cors or body.get("x-amazon-apigateway-cors")
    if cors:
        properties["CorsConfiguration"] = {key[0].lower() + key[1:]: value for key, value in cors.items()}
    return properties


def replace_routes(apigateway, api_id, body):
    """Makes the routes and integrations of an OpenAPI document the only ones of the API, as ImportApi does."""
    if not isinstance(body, dict):
        return
    apigateway._routes[api_id] = {}
    apigateway._integrations[api_id] = {}
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            described = operation.get("x-amazon-apigateway-integration")
            if not described:
                continue
            if operation.get("security"):
                raise ValueError(f"{method} {path}: the launcher does not know API Gateway authorizers")
            integration = answered(apigateway._create_integration(api_id, {
                "integrationType": described["type"].upper(),
                "integrationUri": described["uri"],
                "payloadFormatVersion": described.get("payloadFormatVersion", "2.0"),
            }))
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            answered(apigateway._create_route(api_id, {
                "routeKey": "$default" if path == "/$default" else f"{verb} {path}",
                "target": f"integrations/{integration['integrationId']}",
            }))


def answered(response):
    """The decoded body of one of MiniStack's own API answers, which are (status, headers, body)."""
    status, _headers, body = response
    if status >= 400:
        raise ValueError(f"API Gateway answered {status}: {body!r}")
    return json.loads(body)


def save_regularly(seconds):
    """MiniStack saves its state only at a clean stop. A killed run would come back with old messages and without new items."""
    from ministack import app

    # One line for each of ninety services, every few seconds, would hide all others.
    logging.getLogger("persistence").setLevel(logging.WARNING)

    def forever():
        while True:
            time.sleep(seconds)
            started = time.perf_counter()
            try:
                app.save_all(app._build_persistence_save_dict())
            except Exception:  # a table that changes while it is being saved: the next round has it
                log.exception("checkpoint failed")
            took = time.perf_counter() - started
            if took > SLOW_CHECKPOINT_SECONDS:
                log.warning("checkpoint took %.1f s", took)

    threading.Thread(target=forever, daemon=True, name="checkpoint").start()


def main():
    found = version("ministack")
    if found != SUPPORTED:
        sys.exit(f"ministack {found} is installed, the corrections in {__file__} are for {SUPPORTED}")
    try:
        send_at_once()
        wait_briefly_for_logs()
        authorize_batches_as_single_calls()
        bring_stream_records_again()
        read_streams_from_their_start()
        understand_http_api_bodies()
    except (AttributeError, KeyError, ImportError) as error:
        sys.exit(f"ministack {found} is not as {__file__} expects: {error!r}")
    seconds = float(os.environ.get("CHECKPOINT_SECONDS", "0"))
    if seconds > 0 and os.environ.get("PERSIST_STATE") == "1":
        save_regularly(seconds)
    from ministack import app

    del sys.argv[1:]
    app.main()


if __name__ == "__main__":
    main()
