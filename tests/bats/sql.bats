#!/usr/bin/env bats
# SQL filters on properties: at the broker for pulls, here for files and look-ups, and what they are refused with.
bats_require_minimum_version 1.5.0
load helpers

fill() {
  mqctl topic create orders --queues 1 >/dev/null || return 1
  local i
  for i in $(seq 0 9); do
    mqsend orders -m "order $i" -k "key$i" -H amount=$((i * 10)) -H region="$([ $((i % 2)) = 0 ] && echo eu || echo us)" || return 1
  done
}
# ask: lines of CODE EXT BODY, with JSON of no blanks for EXT, over one connection; a line of code and remark for each.
ask() {
  PYTHONPATH="$BATS_TEST_DIRNAME/../support" python3 -c '
import json, os, sys
from remoting import Client
c = Client(os.environ["MQ_BROKER"])
for line in sys.stdin:
    code, ext, *body = line.split(maxsplit=2)
    r = c.ask(int(code), (body[0].strip() if body else "").encode(), **json.loads(ext))
    print(r.code, r.remark)'
}
pull() {  # pull GROUP SYSFLAG EXPRESSION: fields of a pull of queue 0
  printf '11 {"consumerGroup":"%s","topic":"orders","queueId":"0","queueOffset":"0","maxMsgNums":"32","sysFlag":"%s","commitOffset":"0","suspendTimeoutMillis":"0","subVersion":"%s","expressionType":"SQL92","subscription":"%s"}\n' "$1" "$2" "$3" "$4"
}

@test "mqrecv --sql prints the messages that fulfil the expression" {
  start_mqd -o enablePropertyFilter=true
  fill
  run -0 mqrecv --sql "region = 'eu' AND amount BETWEEN 20 AND 60" orders
  assert_output $'order 2\norder 4\norder 6'
  run -0 mqrecv --sql "amount > 70 OR TAGS IS NOT NULL" orders
  assert_output $'order 8\norder 9'
  run -1 mqrecv --exit-empty --sql "amount > 1000" orders
}

@test "a follower is given a message that fulfils it and not one that does not" {
  start_mqd -o enablePropertyFilter=true
  fill
  mqrecv -f --sql "amount > 1000" --timeout 60s -c 1 orders >"$work/followed" 3>&- &
  reader=$!
  # Both come in while the pull is held, the first must not wake it with nothing to show.
  until [ "$(mqstat broker -J | jq .heldPulls)" -ge 1 ]; do sleep 0.05; done
  mqsend orders -m small -H amount=5
  mqsend orders -m large -H amount=1001
  wait $reader
  [ "$(cat "$work/followed")" = large ]
}

@test "files and look-ups are filtered by mqrecv itself" {
  start_mqd
  fill
  run -1 mqrecv --key key3 --sql "amount > 50" --exit-empty orders
  run -0 mqrecv --key key7 --sql "amount > 50" orders
  assert_output 'order 7'
  stop_mqd
  run -0 mqrecv --store "$store" --sql "region IN ('us') AND amount < 20" orders
  assert_output 'order 1'
}

@test "an expression that cannot be read is a usage error that names the place, before anything is asked" {
  run -64 mqrecv --sql "amount >" orders
  assert_output --partial 'ends where'
  run -64 mqrecv --sql "a = 1 gibberish" orders
  assert_output --partial "at byte 6"
}

@test "without enablePropertyFilter SQL is refused, and the answer names the key" {
  start_mqd
  fill
  run ! mqrecv --sql "a = 1" orders
  assert_output --partial enablePropertyFilter
  run -0 ask <<<'46 {} {"subscriptionData":{"expressionType":"SQL92","subString":"a=1"}}'
  assert_output --regexp '^1 The broker does not support consumer to filter message by SQL92'
}

@test "what the broker answers to a client's filters, step by step" {
  start_mqd -o enablePropertyFilter=true
  fill
  beat() { printf '34 {} {"clientID":"c1","consumerDataSet":[{"groupName":"G","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","subscriptionDataSet":[{"topic":"orders","subString":"%s","expressionType":"SQL92","subVersion":%s,"tagsSet":[],"codeSet":[]}]}]}\n' "$1" "$2"; }
  {
    for text in "a=NULL" "a>'x'" "a IN (1)" "a BETWEEN 10 AND 0" "a=0.0" "TRUE=1"; do  # case 38
      echo "46 {} {\"subscriptionData\":{\"expressionType\":\"SQL92\",\"subString\":\"$text\"}}"
    done
    for text in "a = 1 garbage" "a LIKE 'b%'"; do
      echo "46 {} {\"subscriptionData\":{\"expressionType\":\"SQL92\",\"subString\":\"$text\"}}"
    done
    echo '46 {} {"subscriptionData":{"subString":"A||B"}}'
    echo '46 {} {"subscriptionData":{"expressionType":"XPATH","subString":"a"}}'
    pull G 0 1 ""        # nobody on line
    beat 'amount>' 10    # on line with what cannot be read
    pull G 0 1 ""
    beat 'amount>70' 20
    pull G 0 20 ""       # order 8 and 9
    pull G 0 21 ""       # newer than the heartbeat
    pull G 4 0 'amount<'
    pull G 4 0 'amount<10'
    pull G 4 0 'amount>1000'
  } >"$work/asked"
  ask <"$work/asked" >"$work/answers"
  run -0 cut -d' ' -f1 "$work/answers"
  assert_output "$(printf '%s\n' 23 23 23 23 23 23 0 0 0 23 24 0 27 0 0 25 23 0 20)"
}

@test "consumerFilter.json is written when a group subscribes, and taken at the next start" {
  start_mqd -o enablePropertyFilter=true
  fill
  ask <<<'34 {} {"clientID":"c1","consumerDataSet":[{"groupName":"G","subscriptionDataSet":[{"topic":"orders","subString":"amount>70","expressionType":"SQL92","subVersion":20}]}]}'
  stop_mqd
  run -0 jq -c '.filterDataByTopic.orders.groupFilterData.G | [.expression,.expressionType,.clientVersion,.bloomFilterData.bitNum]' "$store/config/consumerFilter.json"
  assert_output '["amount>70","SQL92",20,112]'
  start_mqd -o enablePropertyFilter=true
  stop_mqd
  run -0 jq -r '.filterDataByTopic.orders.groupFilterData.G.expression' "$store/config/consumerFilter.json"
  assert_output 'amount>70'
}
