// Any bytes as what a peer sends: frames one behind the other, each decoded by every request and
// answer decoder. What decodes as a command is written in both forms, and reads back the same.
#include <string>
#include <vector>

#include "base/assert.h"
#include "wire/command.h"
#include "wire/offsets.h"
#include "wire/pop.h"
#include "wire/pull.h"
#include "wire/query.h"
#include "wire/send.h"
#include "wire/signature.h"
#include "wire/topic.h"

namespace {

using namespace mq;
using namespace mq::wire;

void check_same(const Command& command, Serialize form) {
  std::vector<Field> ext;
  for (const auto& [name, text] : command.ext) ext.emplace_back(name, text);
  std::string out;
  append_frame(out,
               {.serialize = form,
                .language = command.language,
                .code = command.code,
                .opaque = command.opaque,
                .flag = command.flag,
                .remark = command.remark},
               ext, command.body);
  Command again;
  const auto bytes = frame_bytes(as_bytes(out));
  if (!bytes || *bytes != out.size()) return;  // grown over a limit by escapes
  const auto decoded = decode_command(as_bytes(out), again);
  MQ_ASSERT(decoded);
  MQ_ASSERT(again.code == command.code && again.opaque == command.opaque &&
            again.flag == command.flag);
  MQ_ASSERT(again.body.size() == command.body.size());
}

// Views that a decoder returns lie inside what it was given: reading them tells the sanitizer.
void touch(std::string_view text) {
  volatile char sink = 0;
  for (const char c : text) sink = static_cast<char>(sink ^ c);
}

void decode_all(Command& command) {
  for (const std::int32_t code : {10, 310, 320}) {
    command.code = code;
    if (const auto send = decode_send_request(command)) {
      touch(send->topic);
      touch(send->properties);
    }
  }
  BatchReader batch(command.body);
  BatchItem item;
  for (auto more = batch.next(item); more && *more; more = batch.next(item)) {
    touch(as_text(item.body));
    touch(item.properties);
  }
  if (const auto pull = decode_pull_request(command)) touch(pull->subscription);
  if (const auto query = decode_query_message_request(command)) touch(query->key);
  if (const auto create = decode_create_topic_request(command)) touch(create->topic);
  if (const auto topic = decode_topic_request(command)) touch(topic->topic);
  if (const auto bound = decode_queue_bound_request(command)) touch(bound->topic);
  if (const auto pop = decode_pop_request(command)) touch(pop->expression);
  if (const auto ack = decode_change_invisible_request(command)) {
    touch(ack->handle);
    if (const auto handle = parse_pop_handle(ack->handle)) touch(handle->broker);
  }
  (void)decode_pop_response(command);
  (void)decode_batch_ack_request(as_text(command.body));
  (void)decode_view_message_request(command);
  (void)decode_send_response(command);
  (void)decode_pull_response(command);
  (void)decode_query_message_response(command);
  (void)decode_offset_response(command);
  (void)decode_timestamp_response(command);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes in = std::as_bytes(std::span(data, size));
  Command command;
  while (!in.empty()) {
    const auto bytes = frame_bytes(in);
    if (!bytes || *bytes == 0 || *bytes > in.size()) break;
    const Bytes frame = in.first(*bytes);
    in = in.subspan(*bytes);
    if (!decode_command(frame, command)) break;
    touch(command.remark);
    for (const auto& [name, text] : command.ext) {
      touch(name);
      touch(text);
    }
    check_same(command, Serialize::kJson);
    check_same(command, Serialize::kBinary);
    (void)is_signed_with(command, access_key_of(command));
    decode_all(command);
  }
  return 0;
}
