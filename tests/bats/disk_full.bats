#!/usr/bin/env bats
# Goal: a disk that fills up during a send costs nothing that was acknowledged: a refusal with the reason and exit 75,
# reads go on, and writes resume by themselves when there is space again.
# Method: a 64 MiB tmpfs in a mount name space of our own, with ballast to take away later.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  disk=$work/disk
  mkdir "$disk"
  mount -t tmpfs -o size=64m mq-test "$disk" || skip "may not mount a tmpfs here"
  store=$disk/store
}
teardown() {
  common_teardown
  umount -l "$disk" 2>/dev/null || true
}

@test "a full disk refuses with the reason, keeps what was acknowledged, and takes messages again when space returns" {
  head -c 24M /dev/zero >"$disk/ballast"
  start_mqd -o mappedFileSizeCommitLog=8388608 -o mappedFileSizeConsumeQueue=600000 -o maxHashSlotNum=10000 -o maxIndexNum=200000
  seq -f "%0500g" 1 200000 >"$work/lines"
  run -75 --separate-stderr mqsend --receipts "$work/receipts" fill <"$work/lines"
  [[ "$stderr" == *disk* ]] || { echo "$stderr"; false; }
  kill -0 "$mqd_pid"

  # Each receipt names a record of the input that must be there.
  acked=$(wc -l <"$work/receipts")
  [ "$acked" -gt 1000 ]
  mqrecv fill | sort -u >"$work/served"
  cut -d' ' -f1 "$work/receipts" | sort -n | xargs -n 5000 printf '%0500d\n' | sort >"$work/acked"
  [ "$(comm -23 "$work/acked" "$work/served" | wc -l)" -eq 0 ]

  rm "$disk/ballast"
  for _ in $(seq 100); do
    echo again | mqsend -q fill && break
    sleep 0.1
  done
  mqrecv fill | grep -qx again
  [ "$(mqrecv fill | sort -u | comm -23 "$work/acked" - | wc -l)" -eq 0 ]
  stop_mqd

  # And all of it survives a restart.
  start_mqd -o mappedFileSizeCommitLog=8388608 -o mappedFileSizeConsumeQueue=600000 -o maxHashSlotNum=10000 -o maxIndexNum=200000
  [ "$(mqrecv fill | sort -u | comm -23 "$work/acked" - | wc -l)" -eq 0 ]
}

@test "default file sizes work on a disk that is smaller than one file" {
  start_mqd
  seq 1 1000 | mqsend small
  [ "$(mqrecv small | wc -l)" -eq 1000 ]
  stop_mqd
}
