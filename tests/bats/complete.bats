#!/usr/bin/env bats
# Completions: the tools say what can stand next, and three shells ask them.
bats_require_minimum_version 1.5.0
load helpers

completions=$BATS_TEST_DIRNAME/../../packaging/completions
setup() {
  start_mqd
  mqctl topic create orders
  mqctl topic create other
}

words() { cut -f1 | sort | tr '\n' ' '; }

@test "flags, choices, subcommands and live topics are candidates" {
  [ "$(mqsend --complete --em | words)" = '--empty ' ]
  [ "$(mqsend --complete --empty '' | words)" = 'fail fill= skip ' ]
  [ "$(mqsend --complete --oversize=f | words)" = '--oversize=fail ' ]
  [ "$(mqsend --complete '' | words)" = 'orders other ' ]
  [ "$(mqrecv --complete -f -T tag or | words)" = 'orders ' ]
  [ "$(mqrecv --complete orders o | words)" = 'orders other ' ]  # it takes several
  [ "$(mqctl --complete topic '' | words)" = 'alter create delete list show ' ]
  [ "$(mqctl --complete topic show o | words)" = 'orders other ' ]
  [ "$(mqctl --complete topic show --js | words)" = '--json ' ]
  [ "$(mqstat --complete topic o | words)" = 'orders other ' ]
}

@test "every flag of --help is a candidate" {
  for tool in mqsend mqrecv mqstat; do
    diff <("$tool" --complete -- | cut -f1 | grep -- '^--' | sort -u) \
         <("$tool" --help | grep -oE -- '^ +(-[A-Za-z0-9],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u)
  done
}

@test "no daemon, no names, no noise" {
  stop_mqd
  run -0 --separate-stderr mqsend --complete ''
  [ -z "$output$stderr" ]
}

@test "names come from the broker that the line names" {
  unset MQ_BROKER
  [ "$(mqsend --complete -b "unix:$sock_dir/s" or | words)" = 'orders ' ]
  [ -z "$(mqsend --complete or)" ]
}

@test "bash asks the tool" {
  run -0 bash -c 'source "$0/mq.bash"
    COMP_WORDS=(mqctl topic show ord); COMP_CWORD=3; _mq; echo "${COMPREPLY[*]}"
    COMP_WORDS=(mqsend --empty = sk); COMP_CWORD=3; _mq; echo "${COMPREPLY[*]}"
    COMP_WORDS=(mqsend -b unix : /x --linge); COMP_CWORD=5; _mq; echo "${COMPREPLY[*]}"' "$completions"
  assert_output $'orders\nskip\n--linger'
}

@test "zsh asks the tool" {
  run -0 zsh -fc '_describe() { print -l -- "${(@P)4}" }; _files() { print files }
    dir=$0; try() { source $dir/_mq }
    words=(mqctl topic show ord); CURRENT=4; try
    words=(mqsend --linge); CURRENT=2; try
    words=(mqrecv --store ""); CURRENT=3; try' "$completions"
  assert_output $'orders\n--linger:how long a lone record waits\nfiles'
}

@test "fish asks the tool" {
  run -0 fish -N -c 'source $argv[1]/mq.fish
    complete -C"mqctl topic show ord"; complete -C"mqsend --linge"' "$completions"
  assert_line --index 0 orders
  assert_line --partial --index 1 --linger
}
