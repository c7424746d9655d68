#!/usr/bin/env bash
# Drives what docker-compose.yml runs, through its balancer: a message waits for who is offline, is drained, acknowledged and
# read; then each container of both services is restarted in turn while messages flow. Not one send may fail, and not one
# message may be missing.
#
#   AUTH_JWT_SECRET=… deploy/smoke.sh
#
# Needs a build of this repository, and docker. SERVICES and SECONDS_EACH may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
export AUTH_JWT_SECRET=${AUTH_JWT_SECRET:?is the one that docker compose was started with}
export POSTHORN_API=${POSTHORN_API:-http://127.0.0.1:3000} POSTHORN_GATEWAY=${POSTHORN_GATEWAY:-ws://127.0.0.1:3001}
services=${SERVICES:-send-api ws-gateway}
# What a restart of one container takes at most, with its stop of up to 16 s.
seconds_each=${SECONDS_EACH:-40}

posthorn() { node libs/cli "$@"; }
containers() { docker ps --quiet --filter "label=com.docker.compose.service=$1"; }
fail() { echo "failed: $*" >&2; exit 1; }

sender="smoke-$$-sender" receiver="smoke-$$-receiver"
id=$(posthorn send "$receiver" 'smoke' --as "$sender")
posthorn delivery "$id" --as "$sender" | grep -q 'waiting: No device' || fail 'the message does not wait'
posthorn listen --as "$receiver" --until-caught-up 2>/dev/null | grep -q "$sender: smoke" || fail 'the message was not drained'
# The acknowledgement left with the connection, and is committed on its own.
for _ in 1 2 3 4 5; do
  state=$(posthorn delivery "$id" --as "$sender")
  grep -q 'delivered: A device has acknowledged it' <<<"$state" && break
  sleep 1
done
grep -q 'delivered: A device has acknowledged it' <<<"$state" || fail "it was not recorded as delivered: $state"
echo 'a message waited, was drained, and is delivered'

count=0
for service in $services; do
  for _ in $(containers "$service"); do count=$((count + 1)); done
done
((count > 0)) || fail 'no container of a service runs'
result=$(mktemp)
posthorn bench --users 20 --rate 20 --seconds $((count * seconds_each)) --json >"$result" &
load=$!
trap 'kill $load 2>/dev/null || true; rm -f "$result"' EXIT
sleep 5
for service in $services; do
  for container in $(containers "$service"); do
    echo "restarting $service $container"
    docker restart --time 20 "$container" >/dev/null
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; do sleep 1; done
    # The balancer looks once a second.
    sleep 3
  done
done
echo "all $count were restarted; waiting for the load to end"
wait "$load" || fail "$(cat "$result")"
grep -q '"refused":0,' "$result" || fail "a send was not accepted: $(cat "$result")"
cat "$result"
