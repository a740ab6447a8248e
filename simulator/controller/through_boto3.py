"""To any endpoint, AWS included: boto3, in a few threads, with its own credentials, signing and retries."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from agent.errors import InputError
from simulator.controller.hand import Refused, Unanswered
from simulator.scenario import Owner

THREADS: Final = 4
ANSWER_SECONDS: Final = 20
"""Of an operation of the control plane, which takes well below one; boto3 by itself waits for a minute, five times."""


class ThroughBoto3:
    """Speaks to `endpoint_url`, or to AWS where it is None (see `simulator.controller.hand.Carrier`).

    `repeats`: what fails in a way that passes is asked for again, as boto3 does it; otherwise whoever calls does that.
    Raises InputError if it cannot be made.
    """

    def __init__(
        self, endpoint_url: str | None, *, region: str | None = None, profile: str | None = None, repeats: bool = True
    ) -> None:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(connect_timeout=ANSWER_SECONDS, read_timeout=ANSWER_SECONDS)
        if not repeats:
            config = config.merge(Config(retries={"total_max_attempts": 1}))
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            self._client: Any = session.client("iot", endpoint_url=endpoint_url, config=config)
            self._credentials = session.get_credentials()
        except (BotoCoreError, ValueError) as error:
            why = str(error).rstrip(".")
            raise InputError(f"boto3: {why}; see --region, --profile and --endpoint-url") from None
        self._where = endpoint_url or "AWS"
        self.endpoint_url: str = self._client.meta.endpoint_url
        self._threads = ThreadPoolExecutor(THREADS, "boto3")

    async def close(self) -> None:
        """Let the threads and connections go."""
        self._threads.shutdown(wait=False)
        self._client.close()

    def signed_websocket(self, url: str) -> str:
        """A URL for MQTT over WebSocket, ws(s)://HOST/mqtt, with a signature by which we are let in for five minutes.

        AWS IoT wants the token of temporary credentials behind what is signed (Developer Guide, "MQTT over WebSocket").
        Raises InputError without credentials.
        """
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        if self._credentials is None:
            raise InputError("boto3: no credentials; see --profile and AWS_ACCESS_KEY_ID")
        keys = self._credentials.get_frozen_credentials()
        request = AWSRequest("GET", url)
        signer = SigV4QueryAuth(
            Credentials(str(keys.access_key), str(keys.secret_key)),
            "iotdevicegateway",
            self._client.meta.region_name,
            300,
        )
        signer.add_auth(request)
        token = "" if not keys.token else f"&X-Amz-Security-Token={quote(keys.token, safe='')}"
        return f"{request.url}{token}"

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """One call, in a thread. AWS lends nobody the hand of its services."""
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

        if by != "customer":
            raise InputError(f"{self._where}: {by}'s own hand is there on the embedded cloud only, not through boto3")
        method = getattr(self._client, xform_name(operation))
        try:
            told = await asyncio.get_running_loop().run_in_executor(self._threads, lambda: method(**parameters))
        except ClientError as error:
            why = error.response["Error"]
            raise Refused(why["Code"], why.get("Message", "")) from None
        except HTTPClientError as error:
            raise Unanswered(f"{self._where}: nobody answers: {error}") from None
        except NoCredentialsError:
            raise InputError(
                f"{self._where}: boto3 has no credentials; see --profile and AWS_ACCESS_KEY_ID; a local cloud takes any"
            ) from None
        except BotoCoreError as error:
            raise InputError(f"{self._where}: nobody answers to us: {error}") from None
        self._check_who_answers(told["ResponseMetadata"]["HTTPHeaders"].get("content-type", ""))
        return {name: _with_numbers(value) for name, value in told.items() if name != "ResponseMetadata"}

    def _check_who_answers(self, content_type: str) -> None:
        """Raise Unanswered if that is not the service: boto3 takes a page with status 200 for an empty answer."""
        if content_type.startswith("text/"):
            raise Unanswered(f"{self._where}: something else answers there, with {content_type[:80]}: a proxy?")


def _with_numbers(told: Any) -> Any:
    """boto3 makes datetimes of timestamps; the wire has epoch seconds."""
    match told:
        case dict():
            return {name: _with_numbers(value) for name, value in told.items()}
        case list():
            return [_with_numbers(value) for value in told]
        case datetime():
            return told.timestamp()
        case _:
            return told
