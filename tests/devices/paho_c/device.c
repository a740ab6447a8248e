/* A device in C on Eclipse Paho's client and cJSON, as one writes it first from their documentation.
 *
 *     cc -O1 -Wall -o device device.c -lpaho-mqtt3cs -lcjson -lpthread
 *
 * Paho's thread calls `message_arrived`, which notes what there is to do; the main thread does it.
 */
#include <MQTTClient.h>
#include <cjson/cJSON.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS 10000L
#define QOS 1

struct job {
    char id[65];
    char version[64];
};

static const char *host, *ca, *cert, *key, *thing, *ns = "", *dir = ".";
static int port = 8883, announces;
static double step_seconds = 1;

static MQTTClient client;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct job next_job, current;
static int has_next, rejected;
static volatile sig_atomic_t lost, stopping;

static void topic_of(char *topic, size_t size, const char *what)
{
    snprintf(topic, size, "$aws/things/%s/jobs/%s", thing, what);
}

static void job_topic(char *topic, size_t size, const char *id, const char *what)
{
    if (*ns)
        snprintf(topic, size, "$aws/things/%s/jobs/%s/namespace-%s/%s", thing, id, ns, what);
    else
        snprintf(topic, size, "$aws/things/%s/jobs/%s/%s", thing, id, what);
}

static int publish(const char *topic, const char *payload)
{
    MQTTClient_deliveryToken token;
    int rc = MQTTClient_publish(client, topic, (int)strlen(payload), payload, QOS, 0, &token);

    if (rc == MQTTCLIENT_SUCCESS)
        rc = MQTTClient_waitForCompletion(client, token, TIMEOUT_MS);
    if (rc != MQTTCLIENT_SUCCESS)
        printf("could not publish to %s: %d\n", topic, rc);
    return rc;
}

/* ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void take_execution(const cJSON *execution)
{
    const cJSON *id = cJSON_GetObjectItem(execution, "jobId");
    const cJSON *document = cJSON_GetObjectItem(execution, "jobDocument");
    const cJSON *version = cJSON_GetObjectItem(document, "version");

    if (!cJSON_IsString(id) || !cJSON_IsString(version))
        return;
    pthread_mutex_lock(&lock);
    if (strcmp(id->valuestring, current.id) != 0) { /* not what we are at, or did last */
        snprintf(next_job.id, sizeof next_job.id, "%s", id->valuestring);
        snprintf(next_job.version, sizeof next_job.version, "%s", version->valuestring);
        has_next = 1;
    }
    pthread_mutex_unlock(&lock);
}

static int message_arrived(void *context, char *topic, int topic_length, MQTTClient_message *message)
{
    cJSON *body = cJSON_ParseWithLength(message->payload, (size_t)message->payloadlen);
    size_t length = strlen(topic);

    if (body && length > 16 && strcmp(topic + length - 16, "/update/rejected") == 0) {
        const cJSON *code = cJSON_GetObjectItem(body, "code");
        printf("update rejected: %s\n", cJSON_IsString(code) ? code->valuestring : "?");
        pthread_mutex_lock(&lock);
        rejected = 1;
        pthread_mutex_unlock(&lock);
    } else if (body) {
        take_execution(cJSON_GetObjectItem(body, "execution"));
    }
    cJSON_Delete(body);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return 1;
}

static void connection_lost(void *context, char *cause)
{
    printf("connection lost: %s\n", cause ? cause : "?");
    lost = 1;
}

/* ── the connection ────────────────────────────────────────────────────────────────────────────────────────────── */

static int connect_and_subscribe(void)
{
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
    char next[256], get[256], update[256], what[160];
    char *filters[] = {next, get, update};
    int qos[] = {QOS, QOS, QOS};
    int rc;

    ssl.trustStore = ca;
    ssl.keyStore = cert;
    ssl.privateKey = key;
    options.ssl = &ssl;
    options.keepAliveInterval = 60;
    options.cleansession = 1;
    if ((rc = MQTTClient_connect(client, &options)) != MQTTCLIENT_SUCCESS) {
        printf("could not connect: %d\n", rc);
        return rc;
    }
    snprintf(what, sizeof what, *ns ? "notify-next-namespace-%s" : "notify-next", ns);
    topic_of(next, sizeof next, what);
    job_topic(get, sizeof get, "$next", "get/accepted");
    job_topic(update, sizeof update, "+", "update/rejected");
    if ((rc = MQTTClient_subscribeMany(client, 3, filters, qos)) != MQTTCLIENT_SUCCESS)
        printf("could not subscribe: %d\n", rc);
    lost = 0;
    return rc;
}

static void ask_for_next(void)
{
    char topic[256];

    job_topic(topic, sizeof topic, "$next", "get");
    publish(topic, "{}");
}

/* ── a job ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

static void report(const char *status, const char *step)
{
    char topic[256], payload[256];

    job_topic(topic, sizeof topic, current.id, "update");
    if (step)
        snprintf(payload, sizeof payload, "{\"status\":\"%s\",\"statusDetails\":{\"step\":\"%s\"}}", status, step);
    else
        snprintf(payload, sizeof payload, "{\"status\":\"%s\"}", status);
    printf("%s: %s %s\n", current.id, status, step ? step : "");
    publish(topic, payload);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        perror(name);
}

static void say_version(void)
{
    char topic[256], version[64] = "";
    FILE *file = fopen("version", "r");

    if (file) {
        if (!fgets(version, sizeof version, file))
            version[0] = '\0';
        fclose(file);
    }
    snprintf(topic, sizeof topic, "dut/%s/version", thing);
    if (announces)
        publish(topic, version);
}

static int wanted(void)
{
    int answer;

    usleep((useconds_t)(step_seconds * 1e6));
    pthread_mutex_lock(&lock);
    answer = !rejected;
    pthread_mutex_unlock(&lock);
    return answer && !stopping;
}

static void do_job(void)
{
    report("IN_PROGRESS", "download");
    if (!wanted())
        return;
    write_file("download", current.version);
    report("IN_PROGRESS", "install");
    if (!wanted())
        return;
    if (rename("download", "version") != 0)
        perror("version");
    say_version();
    report("IN_PROGRESS", "verify");
    if (!wanted())
        return;
    report("SUCCEEDED", NULL);
}

static void run(void)
{
    int found;

    while (!stopping) {
        if (lost) {
            sleep(1);
            if (connect_and_subscribe() == MQTTCLIENT_SUCCESS)
                ask_for_next();
        }
        pthread_mutex_lock(&lock);
        if ((found = has_next)) {
            current = next_job;
            has_next = rejected = 0;
        }
        pthread_mutex_unlock(&lock);
        if (found) {
            do_job();
            ask_for_next();
        } else {
            usleep(20000);
        }
    }
}

static void stop(int signal_number)
{
    stopping = 1;
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--announce") == 0) {
            announces = 1;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--host") == 0) host = value;
        else if (strcmp(argv[i - 1], "--port") == 0) port = atoi(value);
        else if (strcmp(argv[i - 1], "--ca") == 0) ca = value;
        else if (strcmp(argv[i - 1], "--cert") == 0) cert = value;
        else if (strcmp(argv[i - 1], "--key") == 0) key = value;
        else if (strcmp(argv[i - 1], "--thing") == 0) thing = value;
        else if (strcmp(argv[i - 1], "--namespace") == 0) ns = value;
        else if (strcmp(argv[i - 1], "--step-seconds") == 0) step_seconds = atof(value);
        else if (strcmp(argv[i - 1], "--dir") == 0) dir = value;
        else {
            fprintf(stderr, "unknown option %s\n", argv[i - 1]);
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    char address[256];

    read_options(argc, argv);
    if (!host || !ca || !cert || !key || !thing) {
        fprintf(stderr, "usage: device --host H --port P --ca CA --cert C --key K --thing T\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir(dir, 0755);
    if (chdir(dir) != 0) {
        perror(dir);
        return 1;
    }
    if (access("version", F_OK) != 0)
        write_file("version", "1.0");
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    snprintf(address, sizeof address, "ssl://%s:%d", host, port);
    MQTTClient_create(&client, address, thing, MQTTCLIENT_PERSISTENCE_NONE, NULL);
    MQTTClient_setCallbacks(client, NULL, connection_lost, message_arrived, NULL);
    lost = 1;
    if (connect_and_subscribe() == MQTTCLIENT_SUCCESS) {
        say_version();
        ask_for_next();
    }
    run();
    MQTTClient_disconnect(client, 1000);
    MQTTClient_destroy(&client);
    return 0;
}
