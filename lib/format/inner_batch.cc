#include "format/inner_batch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "format/properties.h"

namespace mq::format {
namespace {

struct Item {
  std::int32_t flag = 0;
  Bytes body;
  std::string_view properties;
};

// size 4, magic 4, crc 4, flag 4, body 4+n, properties 2+p.
std::optional<Item> take_item(BigEndianReader& in) {
  const std::size_t begin = in.position();
  const auto size = in.take<std::int32_t>();
  in.skip(8);
  Item item;
  item.flag = in.take<std::int32_t>();
  item.body = in.take_bytes(in.take<std::int32_t>());
  item.properties = in.take_text(in.take<std::int16_t>());
  if (!in.ok() || in.position() - begin != static_cast<std::size_t>(size)) return std::nullopt;
  return item;
}

std::vector<Item> items_of(Bytes body) {
  std::vector<Item> out;
  BigEndianReader in(body);
  while (in.remaining() > 0) {
    const auto item = take_item(in);
    if (!item) return {};
    out.push_back(*item);
  }
  return out;
}

}  // namespace

bool for_each_message(const Record& record, Bytes body,
                      const std::function<bool(const Record&)>& visit) {
  if ((record.sys_flag & kFlagInnerBatch) == 0) return visit(record);
  const std::vector<Item> items = items_of(body);
  if (items.empty()) return visit(record);
  Record one = record;
  one.sys_flag &= ~(kFlagInnerBatch | kFlagNeedUnwrap | kFlagCompressed | kFlagCompressionMask);
  for (const Item& item : items) {
    one.flag = item.flag;
    one.body = item.body;
    one.properties = item.properties;
    if (!visit(one)) return false;
    one.queue_offset += 1;
  }
  return true;
}

std::int32_t message_count(const Record& record) noexcept {
  if (!record.is_batch()) return 1;
  const std::string_view text = find_property(record.properties, kInnerNum).value_or("");
  std::int32_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return std::max(1, count);
}

Bytes unwrap(Bytes records, QueueOffset from, std::string& buffer) {
  const auto is_batch = [](Bytes at) {
    return at.size() >= kSysFlagAt + 4 &&
           (load_be<std::int32_t>(at.data() + kSysFlagAt) & kFlagInnerBatch) != 0;
  };
  buffer.clear();
  bool replaced = false;
  for (Bytes rest = records; !rest.empty();) {
    const auto bytes = rest.size() < 4 ? 0 : load_be<std::int32_t>(rest.data());
    if (bytes <= 0 || static_cast<std::size_t>(bytes) > rest.size()) {
      if (replaced) buffer += as_text(rest);
      break;
    }
    const Bytes one = rest.first(static_cast<std::size_t>(bytes));
    rest = rest.subspan(one.size());
    const auto record = is_batch(one) ? decode_record(one, CheckBody::kNo) : Error{Errc::kNotFound};
    if (!record || record->body.empty()) {
      if (replaced) buffer += as_text(one);
      continue;
    }
    if (!std::exchange(replaced, true))
      buffer += as_text(records.first(static_cast<std::size_t>(one.data() - records.data())));
    for_each_message(*record, record->body, [&](const Record& message) {
      if (message.queue_offset < from) return true;
      const std::size_t at = buffer.size();
      buffer.resize(at + record_bytes(message));
      encode_record(message, MutableBytes(reinterpret_cast<std::byte*>(buffer.data()) + at,
                                          buffer.size() - at));
      return true;
    });
  }
  return replaced ? as_bytes(buffer) : records;
}

}  // namespace mq::format
