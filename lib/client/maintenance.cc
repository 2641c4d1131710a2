#include "client/maintenance.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/clock.h"
#include "client/admin.h"
#include "client/properties_text.h"
#include "wire/codes.h"
#include "wire/kv_config.h"

namespace mq::client {
namespace {

Result<void> put(Rpc& rpc, wire::RequestCode code, const wire::KvTable& changes) {
  const std::string body = properties_text(changes);
  MQ_CHECK(rpc.ask(code, [&body](std::string& out, const wire::Header& header) {
    wire::append_frame(out, header, {}, as_bytes(body));
  }));
  return {};
}

Result<std::int32_t> change_write(Rpc& namesrv, wire::RequestCode code, std::string_view broker) {
  MQ_TRY(const Reply reply,
         namesrv.ask(code, [broker](std::string& out, const wire::Header& header) {
           wire::append_write_perm_request(out, header, broker);
         }));
  return wire::decode_write_perm_response(reply.command);
}

}  // namespace

Result<void> put_broker_config(Rpc& broker, const wire::KvTable& changes) {
  return put(broker, wire::kUpdateBrokerConfig, changes);
}

Result<void> expire_now(Rpc& broker) {
  MQ_CHECK(broker.ask(wire::kDeleteExpiredCommitlog));
  MQ_CHECK(broker.ask(wire::kCleanExpiredConsumequeue));
  return {};
}

Result<bool> wait_until_on_disk(Rpc& broker, std::int64_t timeout_ms) {
  constexpr std::int64_t kAgainMs = 20;
  const auto number = [](const wire::KvTable& table, const char* name) {
    return std::strtoll(table.at(name).c_str(), nullptr, 10);
  };
  const std::int64_t deadline_us = system_clock().monotonic_us() + timeout_ms * 1000;
  for (std::int64_t wanted = -1;;) {
    MQ_TRY(const auto info, runtime_info(broker));
    if (info.contains("flushedOffset") && info.contains("commitLogMaxOffset")) {
      if (wanted < 0) wanted = number(info, "commitLogMaxOffset");
      if (number(info, "flushedOffset") >= wanted) return true;
    } else {
      // Others say how much is left: "0 B", "1.5 KiB".
      const auto left = info.find("remainHowManyDataToFlush");
      if (left == info.end()) return Error{Errc::kUnsupported, "it does not say what is on disk"};
      if (std::atof(left->second.c_str()) == 0) return true;
    }
    if (system_clock().monotonic_us() >= deadline_us) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(kAgainMs));
  }
}

Result<std::int32_t> wipe_write(Rpc& namesrv, std::string_view broker) {
  return change_write(namesrv, wire::kWipeWritePermOfBroker, broker);
}
Result<std::int32_t> restore_write(Rpc& namesrv, std::string_view broker) {
  return change_write(namesrv, wire::kAddWritePermOfBroker, broker);
}

Result<wire::KvTable> namesrv_config(Rpc& namesrv) {
  MQ_TRY(const Reply reply, namesrv.ask(wire::kGetNamesrvConfig));
  return parse_properties(reply.body());
}

Result<void> put_namesrv_config(Rpc& namesrv, const wire::KvTable& changes) {
  return put(namesrv, wire::kUpdateNamesrvConfig, changes);
}

}  // namespace mq::client
