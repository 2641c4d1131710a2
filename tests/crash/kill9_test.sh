#!/usr/bin/env bash
# A short slice of the SIGKILL soak; the whole is in `make soak`.
exec "$(dirname "$0")/../soak/kill9.py" "${MQ_BUILD:-build}/bin" 6
