"""Clients of the local cloud: the one place that knows its credentials and refuses every other endpoint."""

import functools
import json
import os
import pathlib
import sys
import urllib.parse

import boto3
from botocore.config import Config

REGION = "us-east-1"
STACK = "yinxin"
# What MiniStack takes for the account's root user. Worth nothing anywhere else.
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
# SDK clients must say localhost: requests to 127.0.0.1 are the deployed API, by its custom domain.
HOSTS = {"localhost"}


class Clients:
    """Makes boto3 clients for one endpoint, one per service.

    The endpoint is AWS_ENDPOINT_URL or, without it, the one in the state file that YINXIN_STATE names.
    """

    def __init__(self):
        self.state = state()
        self.endpoint = (os.environ.get("AWS_ENDPOINT_URL") or self.state.get("aws_endpoint", "")).rstrip("/")
        address = urllib.parse.urlsplit(self.endpoint)
        if address.scheme != "http" or address.hostname not in HOSTS:
            sys.exit(f"refusing the AWS endpoint {self.endpoint!r}: only http://localhost:PORT is the local cloud")
        self._made = {}

    def __call__(self, service):
        if service not in self._made:
            self._made[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                config=Config(
                    s3={"addressing_style": "path"},
                    signature_version="s3v4" if service == "s3" else None,
                    retries={"max_attempts": 2},
                    connect_timeout=5,
                    read_timeout=60,
                ),
                **CREDENTIALS,
            )
        return self._made[service]

    @functools.cached_property
    def outputs(self):
        """The outputs of the deployed stack by their keys."""
        stack = self("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def state():
    """What the running stack wrote about itself, or nothing."""
    path = pathlib.Path(os.environ.get("YINXIN_STATE") or pathlib.Path(__file__).parents[2] / "target/local/state.json")
    return json.loads(path.read_text()) if path.is_file() else {}


def pages(client, operation, items, key=None, **arguments):
    """All items of a paginated operation; with a key, that member of each."""
    for page in client.get_paginator(operation).paginate(**arguments):
        for item in page.get(items, []):
            yield item[key] if key else item
