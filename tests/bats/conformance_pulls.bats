#!/usr/bin/env bats
# The numbered conformance cases of pulls, asked over the wire. Case 17 takes a store that has lost its first files: it is
# a test of the store.
load helpers

conf() { python3 "$BATS_TEST_DIRNAME/../conformance/pulls.py" "$1" "$MQ_BROKER"; }

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
