"""Giving messages to the groups of shared subscriptions: who gets which, what waits, and what goes to another."""

from collections.abc import Iterator, Mapping

from simulator.cloud.mqtt.client import Client
from simulator.cloud.mqtt.context import BrokerContext
from simulator.cloud.mqtt.fan_out import FanOut, Owed
from simulator.cloud.mqtt.packets import Extra
from simulator.cloud.mqtt.session import Message, MessageQueue, Session
from simulator.cloud.mqtt.shared_subscriptions import Draw, SharedSubscription, SharedSubscriptions
from simulator.cloud.notices.refusals import Notice


class Sharing:
    """The groups of one broker. `connected` says who is connected with a session; `draw` chooses who gets a message."""

    def __init__(
        self, context: BrokerContext, fan_out: FanOut, connected: Mapping[Session, Client], draw: Draw
    ) -> None:
        self._context = context
        self._fan_out = fan_out
        self._connected = connected
        self.groups = SharedSubscriptions(draw, context.settings.persistent_seconds)

    # ── members ───────────────────────────────────────────────────────────────────────────────────────────────

    def no_room(self, text: str, session: Session) -> str | None:
        """Why a session may not become a member of that group; None if it may."""
        group, settings = self.groups.by_text.get(text), self._context.settings
        if group is None:
            most = settings.shared_groups
            is_full = most is not None and len(self.groups.by_text) >= most
            return f"shared subscriptions are {most} at most" if is_full else None
        most = settings.shared_group_members
        is_full = most is not None and session not in group.members and len(group.members) >= most
        return f"members of one shared subscription are {most} at most" if is_full else None

    def joined(self, text: str) -> None:
        """A member's SUBACK is on its way: what waits for the group may follow."""
        group = self.groups.by_text.get(text)
        if group is not None:
            self._give_what_waits(group)

    def came_back(self, session: Session) -> None:
        """A member is connected again."""
        for text in session.filters:
            self.joined(text)

    def leave(self, text: str, session: Session) -> None:
        """A session is no member any more; with the last one goes what waits."""
        gone = self.groups.remove(text, session)
        if gone is None:
            return
        owed = self._fan_out.take(gone.queue)
        if unheard := gone.queue.unheard + sum(each.qos for each in owed):
            why = f"the last member of the group left; {unheard} messages waited for it"
            self._context.tell(Notice("nobody-left", "iot:Receive", "", why, text))
        if self._context.persistence is not None:
            self._context.persistence.changed(gone.queue, is_over=True)

    def queue_of(self, text: str) -> Session | None:
        """What waits for a group; None if there is no such group."""
        group = self.groups.by_text.get(text)
        return None if group is None else group.queue

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────────

    def give(self, topic: str, payload: bytes, extra: Extra | None, qos: int, after: int) -> None:
        """Give a message to one member of each group that it is for; it leaves when the commit `after` is done."""
        found = self.groups.index.matching(topic)
        for group in found:
            message = Message(topic, payload, None, extra, self._context.now, group.text)
            if len(found) <= self._fan_out.at_once and group.queue not in self._fan_out.owed:
                self._give(group, message, qos, after)
            else:
                self._fan_out.owe(group.queue, Owed(message, qos, after))
                self._context.note(group.queue)

    def give_owed(self, queue: Session, owed: Owed) -> None:
        """Give what was owed to the group of that queue."""
        message, qos, after = owed
        group = self.groups.by_text.get(queue.client_id)
        if group is not None:
            self._give(group, message, qos, after)
            self._context.note(queue)
        elif qos:
            self._tell_nobody_left(message)

    def give_again(self, messages: list[Message]) -> None:
        """The connection that these were sent to is over: others of their groups may have them."""
        newest, by_group = self._context.commits.newest, dict[str, list[Owed]]()
        for message in messages:
            by_group.setdefault(message.share, []).append(Owed(message, 1, newest))
        for text, several in by_group.items():
            group = self.groups.by_text.get(text)
            if group is not None:
                # In turns: a whole group may go at once, and each member hand on what it got from the one before.
                self._fan_out.owe_again(group.queue, several)
                self._context.note(group.queue)
            else:
                for owed in several:
                    self._tell_nobody_left(owed.message)

    def _tell_nobody_left(self, message: Message) -> None:
        why = "its only member left the group before it acknowledged it"
        self._context.tell(Notice("nobody-left", "iot:Receive", f"topic/{message.topic}", why, message.share))

    def sweeping(self) -> Iterator[None]:
        """Once a second: give on what waits, a group at a time."""
        for group in [each for each in self.groups.by_text.values() if each.queue.stored]:
            self._give_what_waits(group)
            yield

    def _give(self, group: SharedSubscription, message: Message, qos: int, after: int) -> None:
        """To one member that is there, or to the group's queue."""
        context, member = self._context, self._one_of(group, message.topic)
        if member is not None:
            session, client = member
            self._fan_out.settle(session)
            again = message._replace(receipt=None, extra=message.left(context.now), since=context.now, share=group.text)
            client.deliver(again, min(qos, group.members[session]), after, is_checked=True)
        elif qos and group.may_wait:
            context.commits.newest = max(context.commits.newest, after)
            group.queue.store(message)
            context.note(group.queue)
            if group.queue.lost is not None:
                context.tell_lost(group.queue)
        elif qos:
            why = "no member of the group can take it, and none has a session that lasts"
            context.tell(Notice("nobody-left", "iot:Receive", f"topic/{message.topic}", why, group.text))

    def _one_of(self, group: SharedSubscription, topic: str) -> tuple[Session, Client] | None:
        """A member by chance that is connected and may receive a message on this topic; one that has room before one
        that has not. Who may not is told, if it was asked: a group may be large, and the first will do mostly."""
        without_room = None
        for session in self.groups.by_chance(group):
            client = self._connected.get(session)
            if client is None:
                continue
            if not _may_receive(client, topic, group.what.prefix):
                client.tell_denied("Receive", topic)
            elif session.has_room:
                return session, client
            else:
                without_room = without_room or (session, client)
        return without_room

    def _give_what_waits(self, group: SharedSubscription) -> None:
        """To the members that are there, to each at the pace of a replay."""
        context, queue = self._context, group.queue.stored or MessageQueue()
        connected = sum(session in self._connected for session in group.members)
        each = context.settings.replay_per_second
        for _ in range(len(queue) if each is None else min(len(queue), each * connected)):
            member = self._one_of(group, queue[0].topic)
            if member is None or not member[0].has_room:
                return
            message = queue.popleft()
            context.note(group.queue)
            if not message.is_expired(context.now):
                self._give(group, message, 1, context.commits.newest)


def _may_receive(client: Client, topic: str, prefix: str) -> bool:
    """Whether it may receive a message by a shared subscription: policies name the topic, or its prefix and it."""
    principal = client.principal
    return principal is None or principal.may("Receive", topic) or principal.may("Receive", f"{prefix}{topic}")
