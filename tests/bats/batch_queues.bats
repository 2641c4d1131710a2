#!/usr/bin/env bats
# Topics with queue.type=BatchCQ: batches stay closed in the log, and every tool still sees messages.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd
  mqctl topic create -q b --queues 2 --attribute +queue.type=BatchCQ
}

@test "what goes in comes out, message by message, also after kill -9 and from the files" {
  seq 1 20000 | mqsend -k key b
  mqsend b -m alone
  [ "$(mqrecv b | sort -n | sha256sum)" = "$( (seq 1 20000; echo alone) | sort -n | sha256sum)" ]
  [ "$(mqdump grep -F '%o\n' "$store" 'topic = b' | wc -l)" -lt 100 ]
  stop_mqd KILL || true
  [ "$(mqrecv --store "$store" b | wc -l)" -eq 20001 ]
  start_mqd
  [ "$(mqrecv b | wc -l)" -eq 20001 ]
  seq 1 100 | mqsend b
  [ "$(mqrecv b | wc -l)" -eq 20101 ]
  stop_mqd
  run -0 mqdump verify "$store"
}

@test "a queue can be read from the middle of a batch, and each message has its number and key" {
  seq 1 1000 | sed 's/.*/k& m&/' | mqsend -p 1 -K ' ' b
  [ "$(mqrecv -p 1 -o 777 -c 2 -F '%o %k %s\n' b)" = $'777 k778 m778\n778 k779 m779' ]
  [ "$(mqrecv --store "$store" -p 1 -o 777 -c 2 -F '%o %k %s\n' b)" = $'777 k778 m778\n778 k779 m779' ]
  [ "$(mqrecv -p 1 -o -3 -F '%o\n' b | tr '\n' ' ')" = '997 998 999 ' ]
  [ "$(mqstat topic -J b | jq -s '[.[] | .max - .min] | add')" -eq 1000 ]
}

@test "the tag of all messages is the batch's" {
  seq 1 10 | mqsend -T red b
  seq 11 20 | mqsend -T blue b
  [ "$(mqrecv -T blue b | sort -n | tr '\n' ' ')" = '11 12 13 14 15 16 17 18 19 20 ' ]
}

@test "a group shares a batch topic and finishes every message" {
  seq 1 3000 | mqsend b
  timeout 60 mqrecv -g workers --idle 2s b | sort -n >"$work/out"
  [ "$(sha256sum <"$work/out")" = "$(seq 1 3000 | sha256sum)" ]
  run -0 mqstat --check lag -g workers --warn 1 --crit 1
  [ -z "$(timeout 60 mqrecv -g workers --idle 1s b)" ]
}

@test "a topic's kind is fixed, and its files go with it" {
  run mqctl topic alter b --attribute +queue.type=SimpleCQ
  [ "$status" -ne 0 ]
  seq 1 10 | mqsend -p 0 b
  mqctl topic delete b --yes
  [ ! -e "$store/batchconsumequeue/b" ]
  mqctl topic create -q b --queues 2
  seq 1 10 | mqsend -p 0 b
  [ "$(mqrecv b | sort -n | tr '\n' ' ')" = '1 2 3 4 5 6 7 8 9 10 ' ]
  stop_mqd
  [ -d "$store/consumequeue/b" ]
  run -0 mqdump verify "$store"
}
