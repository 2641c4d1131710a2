// Any text as each of the JSON bodies. What is read is written, read again and written the same.
#include "base/assert.h"
#include "wire/access.h"
#include "wire/route.h"
#include "wire/topic_body.h"

namespace {

using namespace mq::wire;

template <typename Decode, typename Encode>
void check(std::string_view text, Decode decode, Encode encode) {
  const auto first = decode(text);
  if (!first) return;
  const std::string written = encode(*first);
  const auto second = decode(written);
  MQ_ASSERT(second);
  MQ_ASSERT(encode(*second) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, decode_topic_config, encode_topic_config);
  check(text, decode_topic_config_list, encode_topic_config_list);
  check(text, decode_topic_table, encode_topic_table);
  check(text, decode_topic_list, encode_topic_list);
  check(text, decode_topic_stats, encode_topic_stats);
  check(text, decode_kv_table, encode_kv_table);
  check(text, decode_topic_route, encode_topic_route);
  check(text, decode_cluster_info, encode_cluster_info);
  check(text, decode_user, encode_user);
  check(text, decode_users, encode_users);
  check(text, decode_acl, encode_acl);
  check(text, decode_acls, encode_acls);
  return 0;
}
