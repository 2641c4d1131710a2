#!/usr/bin/env bats
# Goal: rocketmq-dashboard shows mqd as it shows a stock broker.
# Method: the requests that each of its pages makes, replayed, with what the page reads of the answers.
bats_require_minimum_version 1.5.0
load helpers

setup() { start_mqd; }

page() { run -0 "$BATS_TEST_DIRNAME/../support/dashboard.py" "$MQ_BROKER" "$1"; }

@test "front page and the collector behind its charts" { page front; }
@test "cluster" { page clusters; }
@test "topics: list, types, status, router, consumers, configuration, create, send, delete" { page topics; }
@test "consumers: list, progress, connections, running information, reset, delete" { page consumers; }
@test "producer" { page producers; }
@test "messages by id, by key, by topic, their track, once more" { page messages; }
@test "trace" { page trace; }
