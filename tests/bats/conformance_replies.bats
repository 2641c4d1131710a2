#!/usr/bin/env bats
# Requests and replies through the broker, asked over the wire.
load helpers

conf() { python3 "$BATS_TEST_DIRNAME/../conformance/replies.py" "$1" "$MQ_BROKER"; }

@test "77: a reply to nobody is an error, and stored" { start_mqd && conf 77; }
@test "a reply is pushed as it was sent, and stored" { start_mqd && conf reply; }
@test "replies are not kept when that is off" { start_mqd -o storeReplyMessageEnable=false && conf not_stored; }
@test "a reply that the asker does not take is an error" { start_mqd && conf refused; }
@test "a reply without a body is pushed" { start_mqd && conf empty; }
@test "with SYNC_FLUSH a reply is acknowledged once it is on disk" { start_mqd -o flushDiskType=SYNC_FLUSH && conf reply; }
