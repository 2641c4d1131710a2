#!/usr/bin/env bats
# Light queues (LMQ): what lists them, and who reads them.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  start_mqd -o enableLmq=true -o enableMultiDispatch=true
  mqctl topic create t --queues 1
  seq 1 7 | mqsend t
  seq 8 20 | mqsend -H 'INNER_MULTI_DISPATCH=%LMQ%a,%LMQ%b' t
  seq 21 30 | mqsend -H 'INNER_MULTI_DISPATCH=%LMQ%b' t
}

@test "a light queue is read like a topic of one queue, under its own numbers" {
  diff <(seq 0 12 | sed 's/.*/0 &/') <(mqrecv -F '%p %o\n' %LMQ%a)
  diff <(seq 8 20) <(mqrecv %LMQ%a)
  diff <(seq 29 30) <(mqrecv -o -2 %LMQ%b)
  run -0 mqstat topic %LMQ%b
  assert_output --partial '23'
}

@test "members of a group share and commit its numbers" {
  diff <(seq 8 12) <(timeout 30 mqrecv -g g -c 5 %LMQ%a)
  diff <(seq 13 20) <(timeout 30 mqrecv -g g -c 8 %LMQ%a)
  run -0 timeout 30 mqrecv -g g --idle 1s %LMQ%a
  assert_output ''
  diff <(seq 8 10) <(timeout 30 mqrecv -g h --pop -c 3 %LMQ%b)
}

@test "its files are read without a daemon, before and after they are built anew" {
  stop_mqd
  diff <(seq 0 12 | sed 's/.*/0 &/') <(mqrecv --store "$store" -F '%p %o\n' %LMQ%a)
  diff <(seq 8 30) <(mqrecv --store "$store" %LMQ%b)
  mqdump verify "$store"
  rm -r "$store/consumequeue"
  start_mqd -o enableLmq=true -o enableMultiDispatch=true
  diff <(seq 8 30) <(mqrecv %LMQ%b)
  stop_mqd
  mqdump verify "$store"
}

@test "without enableLmq there are none" {
  stop_mqd
  start_mqd -o enableLmq=false
  run -66 mqrecv %LMQ%a
  stop_mqd
  start_mqd # what the store has says it
  diff <(seq 8 20) <(mqrecv %LMQ%a)
}
