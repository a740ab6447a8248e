"""The device gateway: MQTT as AWS IoT Core speaks it."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting, Tag

MQTT: Final = "AWS IoT Developer Guide, MQTT"
QUOTAS: Final = "AWS IoT Core endpoints and quotas"
LIFECYCLE: Final = "AWS IoT Developer Guide, Lifecycle events"
POLICIES: Final = "AWS IoT Developer Guide, AWS IoT Core policies"

SHARED: Final = f"{MQTT}: Shared Subscriptions"
BASIC_INGEST: Final = "AWS IoT Developer Guide, Reducing messaging costs with Basic Ingest"


def _claim(id_: str, tag: Tag, text: str, source: str, setting: Setting | None = None) -> Claim:
    return Claim(id_, Section.GATEWAY, tag, text, source, setting)


CLAIMS: Final = (
    # ── 4.1 answers ──
    _claim(
        "answers-go-to-the-asker-alone",
        "documented",
        "The answer to a request goes straight to the connection that asked, subscribed or not, and to nobody else.",
        "AWS IoT Developer Guide, Jobs device MQTT API; Reserved topics",
    ),
    _claim(
        "subscribed-asker-gets-one-copy",
        "inferred",
        "A client that subscribed to the answers as well gets one copy, not two.",
        "nothing documented speaks of two",
    ),
    # ── 4.2 MQTT ──
    _claim(
        "qos-2-gets-no-answer",
        "documented",
        "QoS 2 is not supported: in 3.1.1 neither a PUBLISH nor a SUBSCRIBE with it is acknowledged.",
        MQTT,
    ),
    _claim(
        "qos-2-ends-mqtt-5",
        "inferred",
        "A PUBLISH of QoS 2 ends an MQTT 5 connection with reason 0x9B, and a subscription of QoS 2 is granted QoS 1.",
        "MQTT 5, 3.2.2.3.4: a server that announces a maximum QoS of 1",
    ),
    _claim(
        "number-sign-does-not-match-the-parent",
        "documented",
        "The filter a/# does not match the topic a.",
        MQTT,
    ),
    _claim(
        "connack-7-when-not-authorised",
        "documented",
        "In 3.1.1 a client that is not authorised to connect gets return code 7, not 5; in MQTT 5 reason 0x87.",
        MQTT,
    ),
    _claim(
        "client-ids-have-rules",
        "documented",
        "A client id has at most 128 bytes and does not begin with $.",
        QUOTAS,
    ),
    _claim(
        "second-connection-takes-over",
        "documented",
        "A second connection with the same client id ends the first: DUPLICATE_CLIENTID.",
        LIFECYCLE,
    ),
    _claim(
        "keep-alive-is-bounded",
        "documented",
        "Keep-alives are 30 to 1200 seconds: less is taken for 30, more and 0 for 1200; silence of one and a "
        "half of it "
        "ends the connection.",
        QUOTAS,
        Setting("shortest_keep_alive", 30, ("any number of seconds",)),
    ),
    _claim(
        "sessions-last-an-hour",
        "documented",
        "A persistent session outlives its connection by an hour.",
        MQTT,
        Setting("persistent_seconds", 3600, ("any number of seconds: AWS raises it on request",)),
    ),
    _claim(
        "stored-messages-come-ten-a-second",
        "documented",
        "What was stored for a client that was away is sent at ten messages a second, and new messages do "
        "not wait for it.",
        MQTT,
        Setting("replay_per_second", 10, ("null: all at once",)),
    ),
    _claim(
        "unacknowledged-messages-come-again",
        "documented",
        "A message of QoS 1 that is not acknowledged is sent again, and dropped after an hour.",
        f"{MQTT}; {QUOTAS}",
    ),
    _claim(
        "redelivery-interval",
        "inferred",
        "It is sent again every 30 seconds.",
        "no source gives the interval",
        Setting("redelivery_seconds", 30.0, ("any number of seconds", "null: only after a reconnection")),
    ),
    _claim(
        "retained-messages-on-ordinary-topics",
        "documented",
        "A retained message is kept, and sent to who subscribes to its very topic later; a filter with "
        "wildcards fetches none.",
        MQTT,
    ),
    _claim(
        "reserved-topics-retain-nothing",
        "documented",
        "A publication with the retain flag to a reserved topic is not taken.",
        MQTT,
    ),
    _claim(
        "payloads-have-128-kb",
        "documented",
        "A payload has at most 128 KB; a larger one ends the connection: CLIENT_ERROR.",
        f"{QUOTAS}; {LIFECYCLE}",
        Setting("largest_payload", 131072, ("any number of bytes",)),
    ),
    _claim(
        "topics-have-256-bytes-and-seven-slashes",
        "documented",
        "Topics and topic filters have at most 256 bytes of UTF-8 and seven slashes.",
        QUOTAS,
    ),
    _claim(
        "unknown-reserved-filters-end-the-connection",
        "documented",
        "A subscription to a reserved topic outside $aws/ ends the connection.",
        "AWS IoT Developer Guide, Reserved topics: unsupported operations can result in a terminated connection",
    ),
    _claim(
        "eight-filters-a-subscribe",
        "documented",
        "A SUBSCRIBE has at most eight topic filters.",
        QUOTAS,
        Setting("filters_a_request", 8, ("null: any number",)),
    ),
    _claim(
        "fifty-subscriptions-a-connection",
        "documented",
        "A connection has at most 50 subscriptions; what is more is refused, and the connection may be closed.",
        QUOTAS,
        Setting("too_many_subscriptions", "refuse", ("close: the connection ends, too",)),
    ),
    _claim(
        "hundred-publications-a-second",
        "documented",
        "What a connection publishes beyond 100 messages or 512 KiB a second is discarded.",
        QUOTAS,
        Setting("publishes_per_second", 100, ("null: no limit",)),
    ),
    _claim(
        "one-connect-a-second",
        "documented",
        "A client id is let in once a second.",
        QUOTAS,
        Setting("connects_per_second", 1, ("null: no limit",)),
    ),
    _claim(
        "websockets-last-a-day",
        "documented",
        "A connection over WebSocket lasts at most 24 hours.",
        QUOTAS,
        Setting("websocket_seconds", 86400.0, ("any number of seconds", "null: no limit")),
    ),
    _claim(
        "mqtt-may-be-named-in-tls",
        "documented",
        "MQTT with a certificate may share a port: x-amzn-mqtt-ca in ALPN names it, and x-amzn-http-ca HTTPS.",
        "AWS IoT Developer Guide, Device communication protocols",
    ),
    _claim(
        "websockets-are-signed",
        "documented",
        "MQTT over WebSocket is at /mqtt, with the sub-protocol mqtt and a signature for iotdevicegateway in "
        "the query.",
        "AWS IoT Developer Guide, Device communication protocols",
    ),
    _claim(
        "hostile-bytes-disturb-nobody",
        "documented",
        "Whatever bytes a client sends, at most its own connection ends: CLIENT_ERROR.",
        LIFECYCLE,
    ),
    # ── 4.3 what is not allowed ──
    _claim(
        "unauthorised-publish-3-1-1",
        "documented",
        "In 3.1.1 a publication that policies do not allow ends the connection: AUTH_ERROR.",
        f"{LIFECYCLE}; that a single publication does it is common experience",
    ),
    _claim(
        "unauthorised-publish-5",
        "observed",
        "In MQTT 5 it is acknowledged with reason 0x87 and the connection stays; with QoS 0 the connection ends.",
        "aws-iot-device-sdk-python-v2 #620; what QoS 0 does is inferred",
    ),
    _claim(
        "unauthorised-subscribe",
        "inferred",
        "A subscription that policies do not allow is refused in the SUBACK, with 0x87 in MQTT 5; in 3.1.1 "
        "the connection "
        "ends after it: AUTH_ERROR.",
        LIFECYCLE,
    ),
    _claim(
        "receive-is-asked-for-each-delivery",
        "documented",
        "iot:Receive is asked for each delivery: who may subscribe but not receive hears nothing.",
        f"{POLICIES}: policy actions",
    ),
    _claim(
        "retaining-needs-its-own-permission",
        "documented",
        "Publishing with the retain flag needs iot:RetainPublish beside iot:Publish.",
        f"{POLICIES}: policy actions",
    ),
    _claim(
        "policies-are-evaluated-as-documented",
        "documented",
        "An explicit deny wins, * and ? are wildcards, + and # are plain characters, and what is not allowed "
        "is denied.",
        f"{POLICIES}: Publish/Subscribe policy examples",
    ),
    _claim(
        "policy-variables-stand-for-the-connection",
        "documented",
        "Policy variables stand for the client id, the thing, its attributes and those of the certificate; "
        "one without a "
        "value authorises nothing.",
        f"{POLICIES}: policy variables",
    ),
    _claim(
        "inactive-certificates-stay-out",
        "documented",
        "A certificate that is not ACTIVE does not come in, and who holds it is disconnected.",
        "AWS IoT API Reference, UpdateCertificate; there within minutes, here within a second",
    ),
    _claim(
        "own-certificates-are-registered",
        "inferred",
        "A certificate of `ghostjob certs` is registered when it first comes, once in its life, with a policy for its "
        "own thing alone; one that was deleted is registered again by nobody but its operator.",
        "ours, not AWS's: there certificates are registered first",
        Setting("own_certificates", "registered", ("unknown: until somebody registers it",)),
    ),
    # ── 4.4 MQTT 5 ──
    _claim(
        "mqtt-5-is-offered-as-aws-does",
        "observed",
        "The CONNACK of MQTT 5 offers eight topic aliases, QoS 1, retained messages and no subscription identifiers.",
        "awslabs/aws-crt-java #618; AWS re:Post, MQTT5 subscription identifiers",
    ),
    _claim(
        "mqtt-5-properties-are-handed-on",
        "documented",
        "User properties, content type, response topic, correlation data and payload format are handed on to "
        "subscribers.",
        f"{MQTT}: MQTT 5 properties",
    ),
    _claim(
        "mqtt-5-aliases-expiry-and-delayed-wills",
        "documented",
        "Topic aliases, message expiry and the delay of a will work.",
        f"{MQTT}: MQTT 5 supported features",
    ),
    # ── 4.4.1 shared subscriptions ──
    _claim(
        "shared-messages-go-to-one-member",
        "documented",
        "Of those who subscribe to $share/NAME/FILTER one, chosen at random, gets each message; in 3.1.1 as in MQTT 5. "
        "Each group that matches, and each ordinary subscription, gets a copy of its own.",
        SHARED,
    ),
    _claim(
        "share-names-have-rules",
        "documented",
        "A share name has 1 to 128 characters and none of /, + and #; the two slashes around it do not count among "
        "the seven, nor its length with that of the filter.",
        SHARED,
    ),
    _claim(
        "shared-subscriptions-get-nothing-retained",
        "documented",
        "A shared subscription fetches no retained message.",
        SHARED,
    ),
    _claim(
        "shared-messages-go-on-to-another-member",
        "documented",
        "A message of QoS 1 that a member has not acknowledged when its connection ends goes to another member; one of "
        "QoS 0 is lost with it.",
        SHARED,
    ),
    _claim(
        "shared-messages-wait-for-sessions-that-last",
        "documented",
        "While all members are away, messages of QoS 1 wait if one of them has a session that lasts.",
        f"{SHARED}; AWS's announcement of message queuing for MQTT shared subscriptions",
    ),
    _claim(
        "who-is-back-first-gets-what-waited",
        "inferred",
        "What waits for a group goes to whichever members can take it first, each at the pace of a replay; when the "
        "last member has left, it is gone.",
        "no source says which member gets it, nor how fast",
    ),
    _claim(
        "policies-name-shared-subscriptions",
        "observed",
        "iot:Subscribe is asked for topicfilter/$share/NAME/FILTER, and iot:Receive for the topic, which may stand "
        "with $share/NAME/ before it or without.",
        "aws-iot-device-sdk-python-v2, samples/mqtt5_shared_subscription.md: its policy has both",
    ),
    _claim(
        "shared-subscriptions-have-quotas",
        "inferred",
        "AWS has a quota of shared subscriptions a group; here there is none unless it is set.",
        f"{QUOTAS}: Shared Subscriptions per group",
        Setting("shared_group_members", None, ("any number: who is one too many is refused in the SUBACK",)),
    ),
    _claim(
        "shared-subscription-groups-have-a-quota",
        "inferred",
        "AWS has a quota of shared subscription groups an account; here there is none unless it is set.",
        f"{QUOTAS}: Shared Subscription groups per account",
        Setting("shared_groups", None, ("any number: whoever begins one too many is refused in the SUBACK",)),
    ),
    # ── 4.4.2 Basic Ingest ──
    _claim(
        "basic-ingest-is-accepted",
        "documented",
        "A publication to $aws/rules/RULE/TOPIC, over MQTT or HTTP, is taken if policies allow iot:Publish on it, and "
        "reaches no subscriber.",
        BASIC_INGEST,
    ),
    _claim(
        "basic-ingest-ends-here",
        "inferred",
        "There are no rules: what is for one is told in the log, and gone.",
        "ours: AWS's rules engine is not modelled",
    ),
    _claim(
        "basic-ingest-prefix-does-not-count",
        "documented",
        "Of a topic of Basic Ingest, $aws/rules/RULE/ counts neither for its length nor for its slashes.",
        QUOTAS,
    ),
    _claim(
        "nobody-subscribes-to-basic-ingest",
        "documented",
        "A subscription to a topic of Basic Ingest ends the connection.",
        f"{BASIC_INGEST}; Reserved topics: unsupported operations can result in a terminated connection",
    ),
    # ── 4.5 lifecycle events ──
    _claim(
        "presence-is-told",
        "documented",
        "Who connects and disconnects is told on $aws/events/presence/, with times in milliseconds.",
        LIFECYCLE,
        Setting("lifecycle_events", True, ("false: none",)),
    ),
    _claim(
        "subscriptions-are-told",
        "documented",
        "Who subscribes and unsubscribes is told on $aws/events/subscriptions/, with the topics.",
        LIFECYCLE,
    ),
    _claim(
        "ends-have-their-reasons",
        "documented",
        "A disconnected event has the reason, and all but CLIENT_INITIATED_DISCONNECT publish the will.",
        LIFECYCLE,
    ),
    _claim(
        "version-numbers-pair-events",
        "documented",
        "versionNumber grows with each connection of a client id, is the same for its end, and begins again "
        "after an hour.",
        LIFECYCLE,
    ),
    _claim(
        "client-ids-with-wildcards-have-no-events",
        "documented",
        "A client id with # or + in it has no lifecycle events.",
        LIFECYCLE,
    ),
)
