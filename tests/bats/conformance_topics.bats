#!/usr/bin/env bats
# Attributes of topics, kinds of messages and the trace topic, asked over the wire.
bats_require_minimum_version 1.5.0
load helpers

conf() { python3 "$BATS_TEST_DIRNAME/../conformance/topics.py" "$1" "$MQ_BROKER"; }

@test "11, 78: attributes, the types of topics, the trace topic" {
  start_mqd
  conf 11
  conf mixed
  conf types
  conf 78
}
@test "messages that are not of their topic's type are refused where that is wanted" {
  start_mqd -o enableMixedMessageType=true -o enableTopicMessageTypeCheck=true
  conf mixed_taken
  conf types_checked
}
@test "mqctl gives a topic its type" {
  start_mqd
  mqctl topic create a --type fifo
  [ "$(mqctl topic show a -J | jq -c .attributes)" = '{"message.type":"FIFO"}' ]
  mqctl topic alter a --type DELAY
  [ "$(mqctl topic show a -J | jq -c .attributes)" = '{"message.type":"DELAY"}' ]
  run -64 mqctl topic alter a --type strange
  run mqctl topic create b --type MIXED
  [ "$status" -ne 0 ]
  assert_line --partial 'MIXED message type is not supported.'
}
