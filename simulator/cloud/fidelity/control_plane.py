"""The control plane: operations, their fields, errors and statuses."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim, Section, Setting

MODEL: Final = "AWS service model iot, 2015-05-28"

CLAIMS: Final = (
    Claim(
        "operations-stand-at-the-models-paths",
        Section.CONTROL_PLANE,
        "documented",
        "Every operation has the method, the path and the parameters of the service model.",
        MODEL,
    ),
    Claim(
        "operations-end-in-the-models-outputs-and-errors",
        Section.CONTROL_PLANE,
        "documented",
        "Every job operation answers with the members, or the error name and status, that the service model gives.",
        MODEL,
    ),
    Claim(
        "the-registrys-operations-end-as-documented",
        Section.CONTROL_PLANE,
        "documented",
        "Things, groups, tags, templates, endpoints and event configurations answer with the members, or the error "
        "name and status, that the service model gives.",
        MODEL,
    ),
    Claim(
        "limits-are-exceeded-with-410",
        Section.CONTROL_PLANE,
        "documented",
        "LimitExceededException has the HTTP status 410.",
        MODEL,
    ),
    Claim(
        "operations-are-throttled-with-400",
        Section.CONTROL_PLANE,
        "documented",
        "An operation of the control plane that is called too often ends in ThrottlingException, with the status 400.",
        MODEL,
        Setting("operations_per_second", None, ("a number: so often each operation may be called; 10 on AWS",)),
    ),
    Claim(
        "whatever-is-sent-is-answered",
        Section.CONTROL_PLANE,
        "inferred",
        "A request with anything in it that does not fit ends in an error that the service model lists for its "
        "operation, with the model's status, or in InvalidRequestException.",
        f"{MODEL}; how AWS words it is not documented",
    ),
    Claim(
        "operations-that-are-not-served-say-so",
        Section.CONTROL_PLANE,
        "inferred",
        "An operation of AWS IoT that is not served here ends in InvalidRequestException with a message that says so.",
        "no counterpart at AWS",
    ),
    Claim(
        "what-is-taken-and-not-carried-out-is-logged",
        Section.CONTROL_PLANE,
        "inferred",
        "What an operation takes and nobody carries out as AWS would is a warning in the log, with the job or thing "
        "and what can be done about it.",
        "no counterpart at AWS",
    ),
    Claim(
        "members-that-no-model-knows-are-ignored",
        Section.CONTROL_PLANE,
        "inferred",
        "Members of the body and parameters of the query that the service model does not know are ignored.",
        "the REST-JSON protocol leaves it open",
    ),
    Claim(
        "a-job-shows-what-it-was-created-with",
        Section.CONTROL_PLANE,
        "documented",
        "DescribeJob shows every configuration that CreateJob was given, and counters for all eight states.",
        "AWS IoT API Reference, Job",
    ),
    Claim(
        "configurations-have-the-documented-bounds",
        Section.CONTROL_PLANE,
        "documented",
        "A timeout has 1 to 10080 minutes, an increment factor one decimal, a threshold two, times the format "
        "YYYY-MM-DD HH:MM; anything else is an InvalidRequestException.",
        "AWS IoT API Reference, CreateJob; Developer Guide, Specify job configurations",
    ),
    Claim(
        "a-jobs-document-is-kept-as-it-was-given",
        Section.CONTROL_PLANE,
        "documented",
        "The document is copied at the creation, and GetJobDocument returns it with its URL placeholders in place.",
        "AWS IoT Developer Guide, Create and manage jobs",
    ),
    Claim(
        "what-is-no-json-is-refused-when-it-is-made",
        Section.CONTROL_PLANE,
        "inferred",
        "A document that is no JSON or not UTF-8 is an InvalidRequestException, whichever way it comes in; so is one "
        "with NaN, a number larger than a double can be, or half a surrogate pair. A member that is named twice is "
        "JSON.",
        "RFC 8259, sections 4, 6 and 8; AWS does not say",
    ),
    Claim(
        "control-plane-times-are-seconds-with-a-fraction",
        Section.CONTROL_PLANE,
        "documented",
        "Times in the control plane are epoch seconds as JSON numbers, with a fraction down to milliseconds.",
        "AWS IoT API Reference, examples of DescribeJob",
    ),
    Claim(
        "status-details-have-one-level-more-in-the-control-plane",
        Section.CONTROL_PLANE,
        "documented",
        "DescribeJobExecution in the control plane works in every state, and has statusDetails in a detailsMap.",
        "AWS IoT API Reference, JobExecution",
    ),
    Claim(
        "counters-count-executions-with-retries",
        Section.CONTROL_PLANE,
        "observed",
        "With retries a job's counters count executions, so that they may exceed the number of things.",
        "boto/boto3#4656",
    ),
    Claim(
        "page-tokens-hold-while-things-come-and-go",
        Section.CONTROL_PLANE,
        "inferred",
        "A page token holds while items are added and removed: what is there all the time is shown once; a token of "
        "another list is refused with InvalidRequestException.",
        "AWS documents tokens as opaque",
    ),
    Claim(
        "certificates-come-in-pages-of-25",
        Section.CONTROL_PLANE,
        "documented",
        "ListCertificates without pageSize gives 25 certificates, and a marker if there are more.",
        "AWS IoT API Reference, ListCertificates: a default page size of 25",
    ),
    Claim(
        "lists-come-in-pages",
        Section.CONTROL_PLANE,
        "inferred",
        "Every list gives no more than a page to a request that names no number, and a token if there is more.",
        "AWS IoT API Reference: maxResults from 1 to 250; the default of most lists is not documented",
        Setting("page_size", 25, ("1 to 250: so many entries",)),
    ),
    Claim(
        "the-scope-tells-the-planes-apart",
        Section.CONTROL_PLANE,
        "documented",
        "Of a path that control plane and data plane share, the signing name decides whose operation it is.",
        "AWS service models iot and iot-jobs-data; on AWS their hosts differ, too",
    ),
    Claim(
        "signatures-are-checked-if-there-are-keys",
        Section.CONTROL_PLANE,
        "observed",
        "With access keys a missing, expired, wrong or foreign signature is refused with 403 under AWS's names.",
        "aws/aws-sdk-js-v3#1569, aws/amazon-freertos#841",
    ),
    Claim(
        "accounts-and-regions-share-nothing",
        Section.CONTROL_PLANE,
        "documented",
        "The region of a signature's credential says whose things and jobs a request is about; neither two regions nor "
        "two accounts share any.",
        "AWS General Reference, Signing AWS API requests; AWS IoT Device Management endpoints and quotas: per Region",
    ),
    Claim(
        "twelve-digits-are-an-account",
        Section.CONTROL_PLANE,
        "inferred",
        "An access key whose id has twelve digits is of that account; any other is of the account of --account.",
        "no counterpart at AWS, whose keys do not show it; LocalStack, Credentials",
    ),
    Claim(
        "arns-of-elsewhere-are-refused",
        Section.CONTROL_PLANE,
        "inferred",
        "An ARN of another account, region or partition is refused with InvalidRequestException, and the message says "
        "which of them differs.",
        "AWS IoT API Reference, CreateJob: the exception; AWS's words are not documented",
    ),
    Claim(
        "a-region-that-cannot-be-is-refused",
        Section.CONTROL_PLANE,
        "observed",
        "A signature whose region is no name is refused with InvalidSignatureException: it should be scoped to a valid "
        "one.",
        "joona/aws-es-curl#15, aws/aws-sdk-java-v2#988",
    ),
    Claim(
        "create-thing-again-succeeds-if-it-says-the-same",
        Section.CONTROL_PLANE,
        "documented",
        "CreateThing with the name and configuration of a thing that exists succeeds; with another configuration it "
        "is a ResourceAlreadyExistsException.",
        "AWS IoT API Reference, CreateThing",
    ),
    Claim(
        "deleting-a-thing-that-is-not-there-succeeds",
        Section.CONTROL_PLANE,
        "documented",
        "DeleteThing returns successfully if the thing does not exist.",
        "AWS IoT API Reference, DeleteThing",
    ),
    Claim(
        "a-thing-with-principals-is-not-deleted",
        Section.CONTROL_PLANE,
        "observed",
        "DeleteThing of a thing with attached principals is an InvalidRequestException.",
        "rebuy-de/aws-nuke#374",
    ),
    Claim(
        "things-have-as-many-attributes-as-documented",
        Section.CONTROL_PLANE,
        "documented",
        "A thing without a thing type has at most 3 attributes, one with a thing type at most 50.",
        "AWS IoT Core endpoints and quotas",
    ),
    Claim(
        "groups-hold-their-subgroups-things",
        Section.CONTROL_PLANE,
        "documented",
        "A job for a thing group is for the things of the groups within it too; a continuous one follows who joins and "
        "leaves.",
        "AWS IoT Developer Guide, Static thing groups; Jobs",
    ),
    Claim(
        "describe-endpoint-refuses-jobs",
        Section.CONTROL_PLANE,
        "observed",
        "DescribeEndpoint refuses iot:Jobs with InvalidRequestException and a hint at iot:Data-ATS.",
        "at second hand, in another emulator's notes; AWS IoT API Reference, DescribeEndpoint still lists the type",
        Setting("jobs_endpoint", "refused", ("served: the address of the API port, as documented",)),
    ),
    Claim(
        "templates-make-jobs",
        Section.CONTROL_PLANE,
        "documented",
        "A job made from a template has its document and configurations, but for those that CreateJob gives itself.",
        "AWS IoT Developer Guide, Job templates",
    ),
    Claim(
        "managed-templates-are-those-of-the-guide",
        Section.CONTROL_PLANE,
        "documented",
        "The eight managed templates have the documents and parameters that the Developer Guide shows.",
        "AWS IoT Developer Guide, Managed template remote actions and job documents",
    ),
    Claim(
        "an-active-certificate-is-not-deleted",
        Section.CONTROL_PLANE,
        "documented",
        "A certificate is deleted once it is INACTIVE and attached to no thing, and to no policy unless forced.",
        "AWS IoT API Reference, DeleteCertificate",
    ),
    Claim(
        "a-policy-has-five-versions",
        Section.CONTROL_PLANE,
        "documented",
        "A policy has at most five versions, of which the default one is in force and cannot be deleted.",
        "AWS IoT API Reference, CreatePolicyVersion, DeletePolicyVersion",
    ),
    Claim(
        "dynamic-groups-need-an-index",
        Section.CONTROL_PLANE,
        "documented",
        "Dynamic thing groups and SearchIndex need fleet indexing, which is off until UpdateIndexingConfiguration "
        "turns it on; here it is of the registry alone, active at once and never behind.",
        "AWS IoT Developer Guide, Dynamic thing groups; Managing fleet indexing",
    ),
    Claim(
        "the-query-syntax-of-fleet-indexing",
        Section.CONTROL_PLANE,
        "documented",
        "A query has terms, phrases, fields, prefixes, ranges, AND, OR, NOT and -, and groups of them; AND stands "
        "where nothing does; case does not matter; at most twelve terms.",
        "AWS IoT Developer Guide, Query syntax",
    ),
    Claim(
        "a-dynamic-group-has-what-its-query-finds",
        Section.CONTROL_PLANE,
        "documented",
        "A dynamic thing group has the things that its query finds, and follows as they change.",
        "AWS IoT Developer Guide, Dynamic thing groups",
    ),
    Claim(
        "a-dynamic-group-is-building-at-first",
        Section.CONTROL_PLANE,
        "documented",
        "A dynamic thing group is BUILDING until all things were asked its query, REBUILDING after another one, then "
        "ACTIVE; here a job that is made for it has all of its things, however early it comes.",
        "AWS IoT API Reference, DescribeThingGroup",
    ),
    Claim(
        "a-continuous-job-follows-a-dynamic-group",
        Section.CONTROL_PLANE,
        "documented",
        "A continuous job whose target is a dynamic thing group comes to things as they join it.",
        "AWS IoT Developer Guide, Dynamic thing groups",
    ),
    Claim(
        "dynamic-groups-have-commands-of-their-own",
        Section.CONTROL_PLANE,
        "documented",
        "Dynamic thing groups, a hundred at most, are made, changed and deleted by commands of their own, stand in no "
        "hierarchy, and take neither things nor policies.",
        "AWS IoT Developer Guide, Dynamic thing groups; AWS IoT Device Management quotas",
    ),
)
