"""Somebody else who acts on a job: a technician's script that speaks on the device's own topics, as another client."""

import asyncio
from contextlib import suppress
from typing import Final

from agent.core.events import Answered, Event
from agent.errors import WireError
from agent.messages import read_answer
from agent.runner import Transport
from agent.topics import AnswerTopic, parse
from agent.values import Answer, Request

PATIENCE_SECONDS: Final = 30.0
"""How long the script waits for its connection, and again for the answer."""


class SecondClient:
    """Sends one request through a connection of its own, and waits for the answer (see `agent.runner.Listener`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._connected = asyncio.Event()
        self._answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def ask(self, request: Request) -> Answer:
        """The answer. Raises TimeoutError if there is none."""
        self._transport.start(self)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._connected.wait()
            self._transport.send(request)
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._answer
        finally:
            await self._transport.stop()

    def on_connected(self, session_present: bool) -> None:
        """On line."""
        self._connected.set()

    def on_disconnected(self, reason: str, again_seconds: float | None = None) -> None:
        """Off line; the transport tries again."""

    def on_message(self, topic: str, payload: bytes) -> None:
        """An answer, or what the device is told: a script hears all of it."""
        parsed = parse(topic)
        if isinstance(parsed, AnswerTopic):
            with suppress(WireError):  # what cannot be read is no answer: the script's patience ends
                self.feed(Answered(read_answer(parsed, topic, payload)))

    def feed(self, event: Event) -> None:
        """The first answer is the one that was asked for: answers go to whoever asked."""
        if isinstance(event, Answered) and not self._answer.done():
            self._answer.set_result(event.answer)
