#!/usr/bin/env bats
# Transactions: how they end at mqd, asked over the wire; mqsend --transaction; and what a kill leaves.
bats_require_minimum_version 1.5.0
load helpers

# Short enough to wait for.
start_short() {
  start_mqd -o transactionTimeOut=1000 -o transactionCheckInterval=1000 -o transactionCheckMax=3 \
    -o transactionOpBatchInterval=100
}
conf() { python3 "$BATS_TEST_DIRNAME/../conformance/transactions.py" "$1" "$MQ_BROKER" strict; }
# The highest offset of a queue of a topic that holds no message of ours otherwise.
halves() { mqrecv RMQ_SYS_TRANS_HALF_TOPIC | wc -l; }
tries=600  # of wait_until

@test "61, 63, 64, 80 and what producers answer, and a producer that is gone" {
  start_short
  for case in 61 63 64 80 answers another; do conf $case; done
}
@test "62: a producer is asked as often as it may be, then no more" {
  start_short
  conf 62
  conf waiting_counts
}
@test "65: transactions can be forbidden" { start_mqd -o rejectTransactionMessage=true && conf 65; }

@test "--transaction delivers all of the input, in order" {
  start_mqd
  seq 1 2000 | mqsend --transaction -p 1 -k key -T tag t
  mqrecv -p 1 t | diff - <(seq 1 2000)
  [ "$(mqrecv -T tag t | wc -l)" -eq 2000 ]
  [ "$(mqrecv -c 1 -J t | jq -r .transaction)" = commit ]
  printf 'a\0b\n\0' | mqsend --transaction --sync -0 u
  [ "$(mqrecv -0 u | tr '\0\n' '|/' | fold -w1 | sort | tr -d '\n')" = '/ab||' ]
  # A copy of such a message is an ordinary one.
  mqrecv -J t | mqsend -J v
  mqrecv v | sort -n | diff - <(seq 1 2000)
}

@test "--transaction delivers nothing when a record is bad" {
  start_mqd
  { seq 1 100 | sed 's/.*/{"body":"&"}/'; echo 'no json'; } >"$work/in"
  run -65 mqsend --transaction -J t <"$work/in"
  assert_output --partial 'nothing was delivered: 100 messages taken back'
  [ -z "$(mqrecv t)" ]
  [ "$(halves)" -eq 100 ]
}

@test "--transaction delivers nothing when it is told to stop" {
  start_mqd
  mkfifo "$work/in"
  mqsend --transaction t <"$work/in" 2>"$work/err" 3>&- &
  sender=$!
  exec 8>"$work/in"
  seq 1 50 >&8
  wait_until eval '[ "$(halves)" -eq 50 ]'
  kill -TERM $sender
  status=0
  wait $sender || status=$?
  exec 8>&-
  [ "$status" -eq 143 ]
  grep -q 'nothing was delivered: 50 messages taken back' "$work/err"
  [ -z "$(mqrecv t)" ]
}

@test "--transaction goes with nothing that speaks of single messages" {
  start_mqd
  for flag in --oneway --tee '--receipts /dev/null' "--resume $work/j" '--delay-level 1' --bench; do
    run -64 mqsend --transaction $flag t
  done
  for name in PGROUP TRAN_MSG CHECK_IMMUNITY_TIME_IN_SECONDS TRANSACTION_CHECK_TIMES; do
    run -64 mqsend -H $name=1 t -m x
  done
}

@test "after kill -9 no half message is delivered and nothing committed is lost" {
  start_short
  seq 1 500 | mqsend --transaction committed
  # Open ones: their sender is killed before the end of its input.
  mkfifo "$work/in"
  mqsend --transaction open <"$work/in" 3>&- &
  sender=$!
  exec 8>"$work/in"
  seq 1 50 >&8
  wait_until eval '[ "$(halves)" -ge 550 ]'
  kill -KILL $sender
  wait $sender || true
  exec 8>&-
  stop_mqd KILL || true
  start_short
  mqrecv committed | sort -n | diff - <(seq 1 500)
  [ -z "$(mqrecv open)" ]
  # Nobody answers: they are put aside, each once; and of what was committed nothing is asked about.
  wait_until eval '[ "$(mqrecv TRANS_CHECK_MAX_TIME_TOPIC | wc -l)" -ge 50 ]'
  stop_mqd KILL || true
  start_short
  sleep 2.5  # for two more rounds that find nothing to do
  mqrecv TRANS_CHECK_MAX_TIME_TOPIC | sort -n | diff - <(seq 1 50)
  mqrecv committed | sort -n | diff - <(seq 1 500)
  [ -z "$(mqrecv open)" ]
  stop_mqd
  mqdump verify "$store"
}
