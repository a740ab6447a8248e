#!/usr/bin/env bash
# A device of Mosquitto's clients and jq, as people write it: mosquitto_sub listens, a pipe carries the messages.
set -u -o pipefail
port=8883 step_seconds=1 dir=. announce= namespace=
while [ $# -gt 0 ]; do
    case $1 in
        --host) host=$2 ;;
        --port) port=$2 ;;
        --ca) ca=$2 ;;
        --cert) cert=$2 ;;
        --key) key=$2 ;;
        --thing) thing=$2 ;;
        --namespace) namespace=$2 ;;
        --step-seconds) step_seconds=$2 ;;
        --dir) dir=$2 ;;
        --announce) announce=1; set -- "$1" "$@" ;;
        *) echo "unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
mkdir -p "$dir" && cd "$dir" || exit 1
[ -f version ] || echo 1.0 > version

topic="\$aws/things/$thing/jobs"
level=${namespace:+namespace-$namespace/}
notify_next="$topic/notify-next${namespace:+-namespace-$namespace}"
tls=(-h "$host" -p "$port" --cafile "$ca" --cert "$cert" --key "$key" -q 1)

publish() { # topic, message
    mosquitto_pub "${tls[@]}" -i "$thing-$RANDOM" -t "$1" -m "$2" || echo "could not publish to $1"
}

report() { # job id, status, step
    echo "$1: $2 $3"
    publish "$topic/$1/${level}update" "$(jq -nc --arg status "$2" --arg step "$3" \
        '{status: $status} + if $step == "" then {} else {statusDetails: {step: $step}} end')"
}

say_version() {
    [ -z "$announce" ] || publish "dut/$thing/version" "$(cat version)"
}

do_job() { # the execution, as JSON
    local id version
    id=$(jq -r .jobId <<< "$1")
    version=$(jq -r .jobDocument.version <<< "$1")
    [ "$id" = "$(cat last-job 2>/dev/null)" ] && return # this one is done already
    report "$id" IN_PROGRESS download
    sleep "$step_seconds"
    echo "$version" > download
    report "$id" IN_PROGRESS install
    sleep "$step_seconds"
    mv download version
    say_version
    report "$id" IN_PROGRESS verify
    sleep "$step_seconds"
    report "$id" SUCCEEDED ""
    echo "$id" > last-job
}

# An answer comes on the connection that asked, and on no other: it takes mosquitto_rr to see one.
ask_for_next() {
    mosquitto_rr "${tls[@]}" -i "$thing-$RANDOM" -W 5 -t "$topic/\$next/${level}get" \
        -e "$topic/\$next/${level}get/accepted" -m '{}'
}

do_jobs() { # messages, a line each, that have an execution or none
    local message execution
    while read -r message; do
        execution=$(jq -c '.execution // empty' <<< "$message")
        [ -z "$execution" ] || do_job "$execution"
    done
}

say_version
{
    mosquitto_sub "${tls[@]}" -i "$thing" -c -t "$notify_next" &
    sleep 0.5 # so that nothing is announced between the question and the subscription
    ask_for_next
    wait
} | do_jobs &
trap 'pkill -P $$; exit 0' TERM INT
wait
