// The two forms of a registration's body: JSON, and a zlib stream of lengths and texts.
#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <zlib.h>

#include "wire/body_json.h"
#include "wire/fields.h"
#include "wire/register.h"
#include "wire/topic_json.h"

namespace mq::wire {
namespace {

constexpr std::size_t kInflatedBytesMax = 64 << 20;
constexpr std::int32_t kVersionWithMappings = 413;  // 5.0.0

std::map<std::string, std::string> mappings_from(const json::object& object) {
  std::map<std::string, std::string> out;
  for (const auto& [topic, mapping] : object)
    out.insert_or_assign(std::string(view_of(topic)), to_json(mapping));
  return out;
}

std::string encode_plain(const RegisterBrokerBody& body) {
  json::object table = topic_table_object(body.topics);
  json::object mappings;
  for (const auto& [topic, text] : body.mappings)
    if (auto value = parse_json(text)) mappings[topic] = *std::move(value);
  table["topicQueueMappingInfoMap"] = std::move(mappings);
  return to_json(json::object{{"filterServerList", to_array(body.filter_servers)},
                              {"topicConfigSerializeWrapper", std::move(table)}});
}

Result<RegisterBrokerBody> decode_plain(std::string_view text) {
  MQ_TRY(const json::value value, parse_body(text));
  RegisterBrokerBody out;
  if (const json::value* table = member(value, "topicConfigSerializeWrapper")) {
    out.topics = topic_table_from(*table);
    out.mappings = mappings_from(object_member(*table, "topicQueueMappingInfoMap"));
  }
  out.filter_servers = to_strings(array_member(value, "filterServerList"));
  return out;
}

void put_int(std::string& out, std::size_t value) {
  std::array<std::byte, 4> bytes{};
  store_be(bytes.data(), static_cast<std::int32_t>(value));
  out += as_text(bytes);
}
void put_text(std::string& out, std::string_view text) {
  put_int(out, text.size());
  out += text;
}

std::string compress(std::string_view in) {
  uLongf bytes = compressBound(in.size());
  std::string out(bytes, '\0');
  // Cannot fail: the room is what zlib asks for.
  compress2(reinterpret_cast<Bytef*>(out.data()), &bytes, reinterpret_cast<const Bytef*>(in.data()),
            in.size(), Z_BEST_COMPRESSION);
  out.resize(bytes);
  return out;
}

std::string encode_compressed(const RegisterBrokerBody& body) {
  std::string out;
  put_text(out, to_json(version_object(body.topics.version)));
  put_int(out, body.topics.topics.size());
  for (const auto& [name, topic] : body.topics.topics) {
    put_text(out,
             fmt::format("{} {} {} {} {} {}", name, topic.read_queues, topic.write_queues,
                         topic.perm, topic.filter_type, to_json(map_object(topic.attributes))));
  }
  put_text(out, to_json(to_array(body.filter_servers)));
  put_int(out, body.mappings.size());
  for (const auto& [topic, mapping] : body.mappings) put_text(out, mapping);
  return compress(out);
}

Result<std::string> inflate_all(Bytes in) {
  z_stream z{};
  if (inflateInit(&z) != Z_OK) return Error{Errc::kUnavailable, "zlib: no memory"};
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&z, inflateEnd);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // zlib reads only
  z.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::vector<char> step(64 << 10);
  for (int rc = Z_OK; rc != Z_STREAM_END;) {
    z.next_out = reinterpret_cast<Bytef*>(step.data());
    z.avail_out = static_cast<uInt>(step.size());
    rc = inflate(&z, Z_NO_FLUSH);
    const bool ends_early = rc == Z_BUF_ERROR || (rc == Z_OK && z.avail_in == 0 && z.avail_out > 0);
    if (ends_early || (rc != Z_OK && rc != Z_STREAM_END))
      return Error{Errc::kCorrupt, "the body is not a whole zlib stream"};
    out.append(step.data(), step.size() - z.avail_out);
    if (out.size() > kInflatedBytesMax)
      return Error{Errc::kCorrupt,
                   fmt::format("the body inflates beyond {} bytes", kInflatedBytesMax)};
  }
  return out;
}

// The next word of a topic's line; the last is all the rest.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return word;
}

// `name readQueues writeQueues perm FILTER {attributes}`; brokers before 5.0 end at FILTER.
Result<TopicConfig> parse_topic_line(std::string_view line) {
  TopicConfig out;
  out.name = take_word(line);
  const bool numbers = parse_integer(take_word(line), out.read_queues) &&
                       parse_integer(take_word(line), out.write_queues) &&
                       parse_integer(take_word(line), out.perm);
  if (out.name.empty() || !numbers)
    return Error{Errc::kCorrupt,
                 fmt::format("topic '{}' is not a name and three numbers", out.name)};
  out.filter_type = take_word(line);
  if (!line.empty()) {
    MQ_TRY(const json::value attributes, parse_body(line));
    out.attributes = to_string_map(attributes.get_object());
  }
  return out;
}

Result<RegisterBrokerBody> decode_compressed(Bytes body, std::int32_t version) {
  MQ_TRY(const std::string text, inflate_all(body));
  BigEndianReader in(as_bytes(text));
  RegisterBrokerBody out;
  MQ_TRY(const json::value data_version, parse_body(in.take_text(in.take<std::int32_t>())));
  out.topics.version = data_version_from(data_version);
  const auto topics = in.take<std::int32_t>();
  for (std::int32_t i = 0; i < topics && in.ok(); ++i) {
    MQ_TRY(TopicConfig topic, parse_topic_line(in.take_text(in.take<std::int32_t>())));
    out.topics.topics.insert_or_assign(topic.name, std::move(topic));
  }
  const std::string_view filters = in.take_text(in.take<std::int32_t>());
  if (!in.ok()) return Error{Errc::kCorrupt, "the body ends before its topics do"};
  MQ_TRY(const json::value filter_list, parse_json(filters));
  if (filter_list.is_array()) out.filter_servers = to_strings(filter_list.get_array());
  if (version < kVersionWithMappings) return out;
  const auto mappings = in.take<std::int32_t>();
  for (std::int32_t i = 0; i < mappings && in.ok(); ++i) {
    const std::string_view mapping = in.take_text(in.take<std::int32_t>());
    MQ_TRY(const json::value value, parse_body(mapping));
    out.mappings.insert_or_assign(string_member(value, "topic"), to_json(value));
  }
  if (!in.ok()) return Error{Errc::kCorrupt, "the body ends before its mappings do"};
  return out;
}

}  // namespace

std::string encode_register_broker_body(const RegisterBrokerBody& body, bool compressed) {
  return compressed ? encode_compressed(body) : encode_plain(body);
}

Result<RegisterBrokerBody> decode_register_broker_body(Bytes body, bool compressed,
                                                       std::int32_t version) {
  if (body.empty()) return RegisterBrokerBody{};
  return compressed ? decode_compressed(body, version) : decode_plain(as_text(body));
}

}  // namespace mq::wire
