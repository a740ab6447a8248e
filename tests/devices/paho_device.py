"""A correct device on paho-mqtt, variants of it that are correct too, and one flaw each that people write.

It knows nothing of ghostjob. One thread works; paho's own carries messages into its inbox (`carriers`). Its flash is a
directory: `version` is what runs, `staged` and `slot` what an update has brought so far, `job.json` what it has in
hand. A step is work for some seconds, then a change of the flash; the commit, `version`, is the point of no return.

    python paho_device.py --host H --port P --ca CA --cert C --key K --thing T [--flaw NAME] [--design NAME]
"""

import json
import os
import queue
import random
import signal
import sys
import time
import uuid
from pathlib import Path

from carriers import Https, Mqtt
from paho_options import options_of

STEPS = ("download", "install", "verify", "commit")
PENDING_CODES = ("RequestThrottled", "InternalError", "ThrottlingException", "ServiceUnavailableException")
GONE_CODES = ("ResourceNotFound", "ResourceNotFoundException")
ENDED_CODES = ("InvalidStateTransition", "TerminalStateReached", "TerminalStateException")


class Gone(Exception):  # noqa: N818 - what an answer said
    """An answer says that the execution in hand is over."""


class Device:
    """Takes one job after the other."""

    def __init__(self, options):
        self.options, self.flaw, self.design = options, options.flaw, options.design
        self.prefix = f"$aws/things/{options.thing}/jobs/"
        self.level = f"namespace-{options.namespace}/" if options.namespace else ""
        ending = f"-namespace-{options.namespace}" if options.namespace else ""
        self.notify, self.notify_next = f"{self.prefix}notify{ending}", f"{self.prefix}notify-next{ending}"
        self.job = None
        self.doubted = False  # a hint left our job out, and no answer has come since
        self.look_again = True  # there may be work
        self.lost_one = False
        self.inbox = queue.Queue()
        self.announced = {}  # how often a notify-next named an execution
        self.polls = 10  # times its poll-seconds: who listens looks now and then, too, as a notification may be lost
        if self.design in ("polls-only", "tokens-only", "http-only"):
            self.polls = 1
        elif self.flaw in ("drops-the-next-job", "never-resubscribes", "waits-forever"):
            self.polls = 1e9
        self.connect()

    def connect(self):
        listens = self.design not in ("polls-only", "tokens-only")
        notices = [self.notify, self.notify_next] if listens else []
        answers = [f"{self.prefix}+/{self.level}get/+", f"{self.prefix}+/{self.level}update/+"]
        answers += [] if self.level else [f"{self.prefix}start-next/+"]
        everything = [f"{self.prefix}#"]
        thing = self.options.thing
        if self.design == "http-only":
            self.hearing = self.asking = Https(self.options)
        elif self.design == "two-connections":
            self.hearing = Mqtt(self.options, self.options.second_client_id or f"{thing}-hears", notices, self.inbox)
            self.asking = Mqtt(self.options, thing, answers, self.inbox)
        else:
            filters = everything if self.design == "tokens-only" else notices + answers
            self.hearing = self.asking = Mqtt(self.options, thing, filters, self.inbox)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, what, body):
        """Ask until there is an answer: whether it was accepted, and what it says."""
        wait, tokens = self.options.retry_seconds, set()
        while True:
            token = uuid.uuid4().hex
            tokens.add(token)
            body = body | {"clientToken": token}
            answer = self.asking.ask(self.prefix + what, body, tokens, self.answer_seconds(), self.hear)
            if answer is not None and (answer[0] or answer[1].get("code") not in PENDING_CODES):
                if answer[1].get("code") in GONE_CODES and self.flaw == "exits-when-not-found":
                    sys.exit(1)
                return answer
            if self.flaw != "no-back-off":
                self.listen(wait * random.uniform(1.0, 1.5))
                wait = min(wait * 2, 30.0)

    def answer_seconds(self):
        return {"waits-forever": 1e9, "no-back-off": 0.2}.get(self.flaw, self.options.answer_seconds)

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, seconds):
        """For so long, or until something comes in."""
        came = self.hearing.get(seconds)
        while came is not None:
            self.hear(*came)
            came = None if self.inbox.empty() else self.inbox.get()

    def hear(self, kind, topic, body):
        """A hint is a reason to ask, and no more."""
        if kind == "connected":
            self.doubted = self.look_again = True
            self.announce()
        if self.design == "tokens-only" or topic not in (self.notify, self.notify_next):
            return
        self.look_again = True
        head = body.get("execution") or {}
        if head:
            self.announced[name_of(head)] = self.announced.get(name_of(head), 0) + 1
        if self.job is None or self.flaw == "hears-no-end":
            return
        listed = [each["jobId"] for jobs in body.get("jobs", {}).values() for each in jobs]
        if self.job["jobId"] not in [*listed, head.get("jobId")]:
            self.doubted = True
            if self.flaw == "acts-on-the-list" and topic == self.notify:
                raise Gone("the list does not have it")

    def announce(self):
        if self.options.announce:
            self.asking.publish(f"dut/{self.options.thing}/version", read("version"))

    # ── a job ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self):
        for each in dict.fromkeys((self.hearing, self.asking)):
            each.open()
        self.come_back()
        while True:
            if self.look_again:
                self.look_again = False
                execution = self.next_execution()
                if execution is not None:
                    self.perform(execution, 0)
                    self.look_again = self.look_again or self.flaw != "drops-the-next-job"
                    continue
            self.rest()

    def rest(self):
        """Until there may be work."""
        if self.flaw == "polls-too-fast":
            self.listen(0.05)
            self.look_again = True
            return
        until = time.monotonic() + self.options.poll_seconds * self.polls * random.uniform(1.0, 1.3)
        while not self.look_again and (left := until - time.monotonic()) > 0:
            self.listen(left)
        self.look_again = True
        if self.design == "slow":
            time.sleep(2 * self.options.step_seconds)

    def next_execution(self):
        """The execution that is now ours; None if there is none."""
        if not self.level:
            ok, told = self.ask("start-next", {})
            if self.flaw == "crashes-on-empty" and self.lost_one:
                print(f"after the lost one: {told['execution']['jobId']}", flush=True)
                self.lost_one = False
            return told.get("execution") if ok else None
        ok, told = self.ask(f"$next/{self.level}get", {})
        execution = told.get("execution") if ok else None
        if not execution:
            return None
        claim = {"status": "IN_PROGRESS", "expectedVersion": execution["versionNumber"]}
        ok, _ = self.ask(f"{execution['jobId']}/{self.level}update", claim)
        return execution | {"versionNumber": execution["versionNumber"] + 1} if ok else None

    def come_back(self):
        """After a restart: what was in hand is asked for before anything is done about it."""
        if not Path("version").exists():
            write("version", "1.0")
        if not Path("job.json").exists():
            return
        self.job = json.loads(read("job.json"))
        if self.flaw == "reruns-after-restart":
            for step in STEPS:
                time.sleep(self.options.step_seconds)
                self.change(step, self.job["jobDocument"]["version"])
            self.end("SUCCEEDED", {"version": read("version")})
            return
        try:
            self.confirm()
        except Gone as why:
            self.clean_up(why)
        else:
            self.perform(self.job, self.job["done"])

    def perform(self, execution, done):
        self.job = execution | {"done": done, "previous": execution.get("previous", read("version"))}
        write("job.json", json.dumps(self.job))
        try:
            version = self.job["jobDocument"]["version"]
        except (KeyError, TypeError):
            self.end("FAILED", {"reason": "no version in the document"})
            return
        try:
            self.do_all(version, done)
            self.end("SUCCEEDED", {"version": read("version")})
        except Gone as why:
            if self.flaw == "succeeds-gone":
                self.change("commit", version)
                self.ask(f"{self.job['jobId']}/{self.level}update", {"status": "SUCCEEDED"})
                self.forget()
                return
            self.clean_up(why)
        if self.flaw == "doubles" and self.announced.get(name_of(execution), 0) > 1:
            self.announced.clear()
            self.perform(execution, 0)

    def do_all(self, version, done):
        """The steps from `done` on. Raises Gone."""
        for number, step in enumerate(STEPS[done:], done):
            if self.design != "no-steps" and self.flaw != "hears-no-end":
                self.report("IN_PROGRESS", {"step": step, "version": read("version")})
            self.work(self.options.step_seconds * (5 if self.design == "slow" else 1))
            if step == "commit" and self.flaw != "hears-no-end":
                if self.doubted:
                    self.report("IN_PROGRESS", {"step": step, "version": read("version")})
                self.confirm()
            self.change(step, version)
            self.job["done"] = number + 1
            write("job.json", json.dumps(self.job))

    def work(self, seconds):
        """Let so much time pass; hints are dealt with at once. Raises Gone."""
        if self.flaw == "blocks-the-network":
            time.sleep(seconds)
            return
        until, wait, asked = time.monotonic() + seconds, self.options.retry_seconds, 0.0
        while (left := until - time.monotonic()) > 0:
            if self.flaw == "polls-too-fast":
                self.confirm()
                self.listen(min(left, 0.05))
                continue
            if self.doubted and time.monotonic() >= asked:
                # One answer may be out of date: while the hints leave it out, it is asked again, ever more rarely.
                self.confirm(settles=False)
                asked, wait = time.monotonic() + wait, min(wait * 2, 30.0)
                continue
            self.listen(min(left, max(asked - time.monotonic(), 0.0) if self.doubted else left))

    def change(self, step, version):
        """What a step leaves in the flash."""
        if step == "download":
            write("staged", version)
        elif step == "install":
            write("slot", read("staged"))
        elif step == "verify":
            assert read("slot") == version
        else:
            write("version", version)
            self.announce()

    def confirm(self, settles=True):
        """Ask for this very execution. Raises Gone."""
        ok, told = self.ask(f"{self.job['jobId']}/{self.level}get", {})
        found = told.get("execution") if ok else None
        if not ok and (told.get("code") not in GONE_CODES + ENDED_CODES or self.flaw == "keeps-reporting"):
            return
        if not found or found["status"] not in ("IN_PROGRESS", "QUEUED") or not self.is_ours(found):
            raise Gone(told.get("code") or "another, or none")
        self.job["versionNumber"] = found["versionNumber"]
        self.doubted = self.doubted and not settles

    def is_ours(self, found):
        keys = ("jobId",) if self.flaw == "job-id-only" else ("jobId", "queuedAt", "executionNumber")
        return all(found.get(key) == self.job.get(key) for key in keys)

    def report(self, status, details):
        """Say how far it is. Raises Gone, but not if what is told is what already stands there."""
        for _ in range(5):
            expected = {} if self.flaw == "job-id-only" else {"expectedVersion": self.job["versionNumber"]}
            body = {"status": status, "statusDetails": details} | expected
            ok, told = self.ask(f"{self.job['jobId']}/{self.level}update", body)
            if ok:
                self.job["versionNumber"] += 1
                self.doubted = False  # a write cannot be out of date
                return
            code = told.get("code", "")
            print(f"{self.job['jobId']}: {status} refused: {code}", flush=True)
            if self.flaw in ("keeps-reporting", "doubles"):
                return
            if code in GONE_CODES:
                raise Gone(code)
            if status != "IN_PROGRESS" and (told.get("executionState") or {}).get("status") == status:
                return  # it had been taken before, and the answer lost
            if self.flaw == "version-mismatch-fatal" and code == "VersionMismatch":
                self.ask(f"{self.job['jobId']}/{self.level}update", {"status": "FAILED"})
                raise Gone(code)
            self.confirm()

    def end(self, status, details):
        try:
            self.report(status, details)
        except Gone as why:
            # Past the point of no return there is no way back: the next report says which version runs.
            self.clean_up(why)
            return
        self.forget()

    def clean_up(self, why):
        """Take back what can be taken back."""
        self.lost_one = True
        print(f"{self.job['jobId']} is gone: {why}", flush=True)
        for name in ("staged", "slot"):
            Path(name).unlink(missing_ok=True)
        if self.flaw == "drops-the-next-job":
            time.sleep(self.options.step_seconds)
            while not self.inbox.empty():
                self.inbox.get()
        self.forget()

    def forget(self):
        for name in ("staged", "slot", "job.json"):
            Path(name).unlink(missing_ok=True)
        self.job, self.doubted = None, False


def name_of(execution):
    return execution["jobId"], execution["queuedAt"]


def read(name):
    return Path(name).read_text().strip() if Path(name).exists() else ""


def write(name, text):
    """So that a power cut leaves the one or the other."""
    with open(f"{name}.new", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{name}.new", name)


if __name__ == "__main__":
    options = options_of(sys.argv[1:])
    os.makedirs(options.dir, exist_ok=True)
    os.chdir(options.dir)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Device(options).run()
