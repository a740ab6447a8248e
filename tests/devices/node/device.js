// A device on AWS's SDK for JavaScript and its newer Jobs client, as one writes it first from the SDK's documentation.
"use strict";

const fs = require("fs");
const { parseArgs } = require("util");
const { setTimeout: sleep } = require("timers/promises");
const { iot, iotjobs, mqtt5 } = require("aws-iot-device-sdk-v2");
const { once } = require("events");

const { values: args } = parseArgs({
  options: {
    host: { type: "string" },
    port: { type: "string", default: "8883" },
    ca: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
    thing: { type: "string" },
    "step-seconds": { type: "string", default: "1" },
    dir: { type: "string", default: "." },
    announce: { type: "boolean", default: false },
  },
});
const stepMs = Number(args["step-seconds"]) * 1000;

fs.mkdirSync(args.dir, { recursive: true });
process.chdir(args.dir);
if (!fs.existsSync("version")) fs.writeFileSync("version", "1.0");

async function connect() {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(args.host, args.cert, args.key);
  builder.withCertificateAuthorityFromPath(undefined, args.ca);
  builder.withPort(Number(args.port));
  builder.withConnectProperties({ clientId: args.thing, keepAliveIntervalSeconds: 60 });
  const client = new mqtt5.Mqtt5Client(builder.build());
  client.on("error", (error) => console.log("mqtt error:", error.toString()));
  const connected = once(client, "connectionSuccess");
  client.start();
  await connected;
  return client;
}

let working = false;
let again = false;

async function startNextJob(client, jobs) {
  if (working) {
    again = true; // look again when this job is done
    return;
  }
  working = true;
  try {
    do {
      again = false;
      const response = await jobs.startNextPendingJobExecution({ thingName: args.thing });
      if (!response.execution) break;
      await doJob(client, jobs, response.execution);
      again = true;
    } while (again);
  } finally {
    working = false;
  }
}

async function doJob(client, jobs, execution) {
  const { jobId, jobDocument } = execution;
  const report = (status, statusDetails) =>
    jobs.updateJobExecution({ thingName: args.thing, jobId, status, statusDetails });
  console.log(`job ${jobId}:`, JSON.stringify(jobDocument));
  try {
    await report("IN_PROGRESS", { step: "download" });
    await sleep(stepMs);
    fs.writeFileSync("download", jobDocument.version);
    await report("IN_PROGRESS", { step: "install" });
    await sleep(stepMs);
    fs.renameSync("download", "version");
    await announce(client);
    await report("IN_PROGRESS", { step: "verify" });
    await sleep(stepMs);
    await report("SUCCEEDED", { version: jobDocument.version });
    console.log(`job ${jobId}: done`);
  } catch (error) {
    console.log(`job ${jobId}: failed:`, error.message, JSON.stringify(error.modeledError));
    await report("FAILED", { reason: "failed" });
  }
}

async function announce(client) {
  if (!args.announce) return;
  await client.publish({
    topicName: `dut/${args.thing}/version`,
    qos: mqtt5.QoS.AtLeastOnce,
    payload: fs.readFileSync("version"),
  });
}

async function main() {
  const client = await connect();
  const jobs = iotjobs.IotJobsClientv2.newFromMqtt5(client, {
    maxRequestResponseSubscriptions: 4,
    maxStreamingSubscriptions: 2,
    operationTimeoutInSeconds: 30,
  });
  const stream = jobs.createNextJobExecutionChangedStream({ thingName: args.thing });
  stream.on("incomingPublish", async (event) => {
    if (event.message.execution) await startNextJob(client, jobs);
  });
  stream.open();
  await announce(client);
  await startNextJob(client, jobs);
}

process.on("SIGTERM", () => process.exit(0));
main().catch((error) => {
  console.log(error);
  process.exit(1);
});
