// What administrators do with running brokers and name servers (remoting.md 10.6, 10.7, 13.6).
// Errors of all: those of Rpc::ask.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/rpc.h"
#include "wire/topic_body.h"

namespace mq::client {

// R(25): these keys of the broker's configuration, the others stay. Errors: kInvalid and kDenied
// with the broker's reason.
Result<void> put_broker_config(Rpc& broker, const wire::KvTable& changes);
// R(329), R(306): what has expired goes now instead of at its hour.
Result<void> expire_now(Rpc& broker);
// Until all that was acknowledged before the call is on disk; false when it was not in time.
Result<bool> wait_until_on_disk(Rpc& broker, std::int64_t timeout_ms);

// R(205), R(327): whether clients are told to write to the broker. Of how many topics that changed.
Result<std::int32_t> wipe_write(Rpc& namesrv, std::string_view broker);
Result<std::int32_t> restore_write(Rpc& namesrv, std::string_view broker);
// R(319), R(318).
Result<wire::KvTable> namesrv_config(Rpc& namesrv);
Result<void> put_namesrv_config(Rpc& namesrv, const wire::KvTable& changes);

}  // namespace mq::client
