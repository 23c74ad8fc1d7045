"""Renews a session, with retries: SERVICE=… KEY=… python3 renew_session.py. Needs only the standard library."""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 60


class Problem(Exception):
    """What the service answered instead of a token; branch on `code`."""

    def __init__(self, body: dict):
        super().__init__(f"{body.get('code')}: {body.get('detail')} (request {body.get('requestId')})")
        self.code = body.get("code")
        self.retry_after = body.get("retryAfter")


def renew_session(service: str, key: str) -> str:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _ask(service, key)
        except Problem as problem:
            wait = problem.retry_after
            if wait is None or wait > LONGEST_WAIT_SECONDS or attempt == ATTEMPTS:
                raise
            # The random part keeps many clients from returning at the same moment.
            time.sleep(wait + random.random())
    raise AssertionError("unreachable")


def _ask(service: str, key: str) -> str:
    request = urllib.request.Request(f"{service}/session/renew", headers={"Authorization": f"Bearer {key}"})
    try:
        # Above the deadline of the service, so that its own error arrives.
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)["authenticity_token"]
    except urllib.error.HTTPError as error:
        raise Problem(_problem_of(error)) from None


def _problem_of(error: urllib.error.HTTPError) -> dict:
    try:
        return json.load(error)
    except ValueError:  # a proxy in between answered with a page of its own
        return {"code": f"http-{error.code}", "detail": "The answer did not come from the service."}


if __name__ == "__main__":
    try:
        print(renew_session(os.environ.get("SERVICE", "http://127.0.0.1:3000"), os.environ.get("KEY", "")))
    except Problem as problem:
        sys.exit(str(problem))
