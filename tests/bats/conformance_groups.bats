#!/usr/bin/env bats
# The numbered conformance cases of consumer groups, offsets and locks, asked over the wire. Cases 43, 44 and the time of
# 49 take minutes or other clocks: they are unit tests of the same numbers.
load helpers

conf() { python3 "$BATS_TEST_DIRNAME/../conformance/groups.py" "$1" "$MQ_BROKER" "${2:-}"; }
admin() { python3 "$BATS_TEST_DIRNAME/../conformance/group_admin.py" "$1" "$MQ_BROKER"; }

@test "41: a new member is told to the others and listed" { start_mqd && conf 41; }
@test "42: a newer version of a subscription is told to nobody" { start_mqd && conf 42; }
@test "45: a young queue starts at 0 unless asked not to" { start_mqd && conf 45; }
@test "46: commits move back, and make no groups" { start_mqd && conf 46; }
@test "47: after a reset the next pull is sent there, once" { start_mqd && admin 47; }
@test "48: a flushed commit is there after SIGKILL" {
  start_mqd -o flushConsumerOffsetInterval=100
  conf 48_commit "$store"
  stop_mqd KILL || true
  start_mqd
  conf 48_ask
}
@test "49: a lock is one client's until it unlocks" { start_mqd && conf 49; }

@test "82: an unknown request is told so" { start_mqd && conf 82; }

@test "members are told when one leaves" { start_mqd && conf clean_leave; }
@test "members are told when a connection ends" { start_mqd && conf closed_connection; }
@test "a client that comes back survives the end of its old connection" { start_mqd && conf comes_back; }
@test "a group that wants no notices gets none" { start_mqd && conf no_notices_wanted; }
@test "a heartbeat may count on the subscriptions of the last one" { start_mqd && conf heartbeat_v2; }
@test "the retry topic has the group's queues" { start_mqd && conf retry_topic; }

@test "groups are made, listed, shown and deleted" { start_mqd && admin group_configs && admin delete_group; }
@test "a topic is forbidden to a group and allowed again" { start_mqd && admin forbidden; }
@test "a group that may not broadcast is refused" { start_mqd && admin broadcast_forbidden; }
@test "administrators see who is there and what is consumed" { start_mqd && admin views; }
@test "progress of a group, and of all" { start_mqd && admin stats && admin time_span && admin all_offsets; }
@test "offsets are reset by time and by queue, and copied" {
  start_mqd && admin reset_by_time && admin reset_one_queue && admin clone
}
@test "a reset reaches a pull that waits" { start_mqd && admin reset_wakes; }
@test "offsets are reset by the clients when that is wanted" {
  start_mqd -o useServerSideResetOffset=false && admin reset_at_clients
}
@test "correction offsets, and no group loses its own by them" { start_mqd && admin correction && admin correction_keeps; }
@test "a question to a client is passed on, and its answer back" {
  start_mqd && admin running_info && admin consume_directly && admin consumer_status
}
@test "a client that ends before it answers is an answer, too" { start_mqd && admin relay_closed; }
