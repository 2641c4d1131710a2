#include "inspect/inner_batch.h"

#include <optional>
#include <vector>

namespace mq::inspect {
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

bool for_each_message(const format::Record& record, Bytes body,
                      const std::function<bool(const format::Record&)>& visit) {
  if ((record.sys_flag & format::kFlagInnerBatch) == 0) return visit(record);
  const std::vector<Item> items = items_of(body);
  if (items.empty()) return visit(record);
  format::Record one = record;
  one.sys_flag &= ~(format::kFlagInnerBatch | format::kFlagNeedUnwrap | format::kFlagCompressed |
                    format::kFlagCompressionMask);
  for (const Item& item : items) {
    one.flag = item.flag;
    one.body = item.body;
    one.properties = item.properties;
    if (!visit(one)) return false;
    one.queue_offset += 1;
  }
  return true;
}

}  // namespace mq::inspect
