// MQ_ASSERT(condition): for what only a programming mistake can break. Stays on in release builds;
// prints where and dies. Never for input: a length from disk or the wire is checked and answered
// with an Error.
#pragma once

#include <cstdio>
#include <cstdlib>

#define MQ_ASSERT(condition)                                                                 \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
