#include "transaction.h"

#include <algorithm>

#include "client/channel.h"
#include "client/remote_error.h"
#include "format/message_id.h"

namespace mq::mqsend {
namespace {

constexpr std::int64_t kConnectMs = 3000;
constexpr std::int64_t kAnswerMs = 15'000;
constexpr std::size_t kUnderWayMax = 256;

}  // namespace

Result<void> Transaction::add(std::size_t broker, std::string_view offset_id,
                              std::int64_t half_offset) {
  auto id = format::parse_offset_message_id(offset_id);
  if (!id) return Error{Errc::kProtocol, "send answer: msgId: " + id.error().text()};
  halves_.push_back({broker, id->offset.value(), half_offset});
  return {};
}

Transaction::Ended Transaction::end(wire::TransactionEnd how,
                                    const std::vector<client::BrokerAt>& brokers) {
  Ended ended;
  for (std::size_t broker = 0; broker < brokers.size(); ++broker) {
    auto done = end_at(broker, brokers[broker], how, ended);
    if (!done && ended.reason.empty())
      ended.reason = std::move(done).error().within(brokers[broker].name).text();
  }
  ended.unknown = size() - ended.done - ended.refused;
  return ended;
}

Result<void> Transaction::end_at(std::size_t broker, const client::BrokerAt& at,
                                 wire::TransactionEnd how, Ended& ended) {
  const auto is_here = [&](const Half& half) { return half.broker == broker; };
  auto next = std::find_if(halves_.begin(), halves_.end(), is_here);
  if (next == halves_.end()) return {};
  MQ_TRY(client::Channel channel, client::Channel::connect(at.address, kConnectMs));
  std::size_t under_way = 0;
  while (next != halves_.end() || under_way > 0) {
    while (next != halves_.end() && under_way < kUnderWayMax) {
      std::string frame;
      wire::append_end_transaction_request(frame,
                                           {.serialize = wire::Serialize::kBinary,
                                            .code = wire::kEndTransaction,
                                            .opaque = channel.next_opaque()},
                                           {.producer_group = options_.producer_group,
                                            .half_offset = next->half_offset,
                                            .offset = next->offset,
                                            .end = how,
                                            .msg_id = "mqsend",
                                            .sync = options_.sync});
      channel.post(std::move(frame));
      ++under_way;
      next = std::find_if(next + 1, halves_.end(), is_here);
    }
    MQ_CHECK(channel.flush(kAnswerMs));
    MQ_TRY(const wire::Command* const answer, channel.next(kAnswerMs));
    if (answer == nullptr) return Error{Errc::kTimeout, "no answer within 15 s"};
    if (!answer->is_response()) continue;
    --under_way;
    if (answer->code == wire::kSuccess) {
      ++ended.done;
      continue;
    }
    ++ended.refused;
    if (ended.reason.empty()) ended.reason = client::remote_error(at.name, *answer).text();
  }
  return {};
}

}  // namespace mq::mqsend
