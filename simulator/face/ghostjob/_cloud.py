"""A local AWS IoT, for as long as a `with` lasts."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from ghostjob._errors import GhostjobError, InputError, Refused
from ghostjob._process import Process, log_options

ANY: Final = {"api_port": 0, "mqtt_port": 0, "mqtts_port": 0, "data_port": 0}


class Certificate(NamedTuple):
    """Files in PEM: whom to trust, and what a thing shows."""

    ca: Path
    cert: Path
    key: Path


class LocalCloud:
    """A local AWS IoT in a process of its own; a context manager, for `with` and for `async with`.

    `settings` are those of `ghostjob cloud --settings` (`ghostjob schema settings`), but that ports are any free ones
    unless they say otherwise. With `things` each of these has a certificate, and `mqtts` and `data` listen;
    certificates are made in `certs` of the settings, or in a directory that goes with the cloud. Raises InputError.

    >>> import ghostjob
    >>> with ghostjob.LocalCloud(things=["lamp"], settings={"cloud": {"deletion_seconds": 0}}) as cloud:
    ...     cloud.api.startswith("http://127.0.0.1:"), cloud.mqtts.startswith("127.0.0.1:")
    ...     cloud.certificate("lamp").cert.name
    (True, True)
    'lamp.pem'
    """

    def __init__(self, *, things: Sequence[str] = (), settings: Mapping[str, Any] | None = None) -> None:
        self._settings = dict(settings or {})
        self._things = tuple(things)
        self._certs = Path(self._settings["certs"]) if self._settings.get("certs") else None
        self._temporary: Path | None = None
        self._process: Process | None = None
        self._endpoints: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        if self._process is not None:
            raise GhostjobError("this cloud is up already; make another LocalCloud for another")
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        process, code = self._process, self._stop()
        if code and process is not None and exc_type is None:
            raise process.fault()

    async def __aenter__(self) -> Self:
        import asyncio

        starting = asyncio.get_running_loop().run_in_executor(None, self.__enter__)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.gather(starting, return_exceptions=True)
            self._stop()
            raise

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        import asyncio

        await asyncio.to_thread(self.__exit__, exc_type)

    @property
    def api(self) -> str:
        """The control plane, and the data plane for who signs: `http://HOST:PORT`, for boto3's `endpoint_url`."""
        return self._endpoint("api")

    @property
    def mqtt(self) -> str:
        """MQTT for anybody: `HOST:PORT`."""
        return self._endpoint("mqtt")

    @property
    def mqtts(self) -> str:
        """MQTT with mutual TLS: `HOST:PORT`."""
        return self._endpoint("mqtts")

    @property
    def data(self) -> str:
        """The Jobs data plane with mutual TLS: `https://HOST:PORT`."""
        return self._endpoint("data")

    def certificate(self, thing: str) -> Certificate:
        """The certificate of a thing. Raises InputError if it has none."""
        if self._certs is not None and (self._certs / f"{thing}.pem").is_file():
            return Certificate(self._certs / "ca.pem", self._certs / f"{thing}.pem", self._certs / f"{thing}.key")
        raise InputError(f"{thing}: there is no certificate; name it in `things`")

    def delete_job(self, job_id: str, *, force: bool = False, namespace_id: str | None = None) -> None:
        """DeleteJob; it returns when the service has taken the deletion on. Raises Refused."""
        from urllib.error import HTTPError
        from urllib.parse import quote, urlencode
        from urllib.request import ProxyHandler, Request, build_opener

        query = {"force": str(force).lower()} | ({} if namespace_id is None else {"namespaceId": namespace_id})
        request = Request(f"{self.api}/jobs/{quote(job_id, safe='')}?{urlencode(query)}", method="DELETE")  # noqa: S310
        try:
            build_opener(ProxyHandler({})).open(request).close()  # without a proxy: it is this machine
        except HTTPError as error:
            with error:
                code = error.headers.get("x-amzn-errortype", f"HTTP {error.code}").partition(":")[0]
                raise Refused(code, str(json.load(error).get("message", ""))) from None
        except OSError as error:
            raise GhostjobError(f"{self.api}: nobody answers: {error}") from None

    def _endpoint(self, name: str) -> str:
        address = self._endpoints.get(name)
        if address is None:
            why = "not listening; mqtts and data need `things`" if self._endpoints else "not started"
            raise GhostjobError(f"{name}: {why}")
        return address

    def _start(self) -> None:
        settings = ANY | self._settings
        if self._certs is None and self._things:
            self._certs = self._temporary = Path(tempfile.mkdtemp(prefix="ghostjob-"))
        if self._certs is None:
            settings |= {name: "off" for name in ("mqtts_port", "data_port") if name not in self._settings}
        else:
            settings["certs"] = str(self._certs)
            things = (f"--thing={thing}" for thing in self._things)
            self._process = Process("certs", f"--dir={self._certs}", *things)
            self._process.wait()
        try:
            text = json.dumps(settings, default=os.fspath)
        except (TypeError, ValueError) as error:
            raise InputError(f"settings: {error}") from None
        self._process = Process("cloud", *log_options(), "--until-stdin-closes", "--ready-file=-", "--settings=-")
        self._process.say(text)
        ready = self._process.ready_line()
        if not ready:
            self._process.wait()
            raise self._process.fault()
        self._endpoints = json.loads(ready)

    def _stop(self) -> int:
        """Its exit code."""
        process, self._process, self._endpoints = self._process, None, {}
        code = 0 if process is None else process.end()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._certs = self._temporary = None
        return code
