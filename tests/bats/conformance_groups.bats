#!/usr/bin/env bats
# The numbered conformance cases of pulls, consumer groups and offsets, asked over the wire.
# Cases 17, 43, 44 and the time of 49 take minutes or other clocks: they are unit tests of the same numbers.
load helpers

conf() { python3 "$BATS_TEST_DIRNAME/../conformance/groups.py" "$1" "$MQ_BROKER" "${2:-}"; }

@test "15: an empty queue answers 19 at its begin, 21 behind it" { start_mqd && conf 15; }
@test "16: the end of a queue is 19, one past it 21 and moved down" { start_mqd && conf 16; }
@test "18: 32 small messages at most" { start_mqd && conf 18; }
@test "19: 256 KiB at most" { start_mqd && conf 19; }
@test "20: one large message is returned alone" { start_mqd && conf 20; }
@test "21: queue, topic and group that may not be read" { start_mqd && conf 21; }
@test "22: without an expression and without a registration: 24" { start_mqd && conf 22; }
@test "23: a registration older than the pull: 25" { start_mqd && conf 23; }
@test "24: tags of one hash pass the broker" { start_mqd && conf 24; }
@test "25: nothing matches: 20, and 800 entries further" { start_mqd && conf 25; }
@test "26: a held pull is answered when its time is over" { start_mqd && conf 26; }
@test "27: a held pull is woken by a message that matches" { start_mqd && conf 27; }
@test "28: a pull commits on its way" { start_mqd && conf 28; }
@test "29: without long polling a pull waits for a short time" { start_mqd -o longPollingEnable=false && conf 29; }

@test "41: a new member is told to the others and listed" { start_mqd && conf 41; }
@test "42: a newer version of a subscription is told to nobody" { start_mqd && conf 42; }
@test "45: a young queue starts at 0 unless asked not to" { start_mqd && conf 45; }
@test "46: commits move back, and make no groups" { start_mqd && conf 46; }
@test "48: a flushed commit is there after SIGKILL" {
  start_mqd -o flushConsumerOffsetInterval=100
  conf 48_commit "$store"
  stop_mqd KILL || true
  start_mqd
  conf 48_ask
}
@test "49: a lock is one client's until it unlocks" { start_mqd && conf 49; }

@test "members are told when one leaves" { start_mqd && conf clean_leave; }
@test "members are told when a connection ends" { start_mqd && conf closed_connection; }
@test "a client that comes back survives the end of its old connection" { start_mqd && conf comes_back; }
@test "a group that wants no notices gets none" { start_mqd && conf no_notices_wanted; }
@test "a heartbeat may count on the subscriptions of the last one" { start_mqd && conf heartbeat_v2; }
@test "administrators see who is there and what is consumed" { start_mqd && conf views; }
@test "the retry topic has the group's queues" { start_mqd && conf retry_topic; }
