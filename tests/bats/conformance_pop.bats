#!/usr/bin/env bats
# The numbered conformance cases of pop consumption, asked over the wire. Those that wait for something to come again ask
# one daemon all at the same time.
load helpers

conf() { python3 "$BATS_TEST_DIRNAME/../conformance/pop.py" "$1" "$MQ_BROKER"; }

@test "66, 67, 68, 69, 71, 79: what is not acknowledged comes again, and nothing else does" {
  start_mqd
  local case pids=() failed=0
  for case in 66 67 68 69 71 71_wake 79; do
    conf $case >"$work/$case.out" 2>&1 3>&- &
    pids+=("$!:$case")
  done
  for one in "${pids[@]}"; do
    wait "${one%:*}" || { echo "case ${one#*:}:"; tail -5 "$work/${one#*:}.out"; failed=1; }
  done
  [ $failed -eq 0 ]
}
@test "70: 33 messages, a queue and a topic that are not there" { start_mqd && conf 70; }
@test "70: without timers there is no pop" { start_mqd -o timerWheelEnable=false && conf 70_off; }
@test "72: offsets and queues that an acknowledgement may not have" { start_mqd && conf 72; }
@test "a notification tells that there is something, and takes nothing" { start_mqd && conf notification; }
@test "who gets which queues, and whether to pop them" { start_mqd && conf assignment; }
@test "a pop takes what its tags want" { start_mqd && conf filter; }
@test "a reset moves the next pop" { start_mqd && conf reset; }
