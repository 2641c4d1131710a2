#include "support/sample_store.h"

#include <algorithm>
#include <iterator>
#include <random>

#include <fmt/format.h>

#include "base/assert.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"
#include "format/state_files.h"
#include "support/manual_clock.h"

namespace mq::test {
namespace {

constexpr std::string_view kHalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
constexpr std::int64_t kOldMs = 1'000'000'000'000;  // of files that retention may take

class Builder {
 public:
  Builder(fs::Fs& fs, const std::string& root, const SampleOptions& options)
      : fs_(fs), root_(root), options_(options), random_(options.seed) {}

  SampleStore build() {
    auto opened = store::MessageStore::open(sample_options(fs_, clock_, root_));
    MQ_ASSERT(opened.has_value());
    store_ = std::move(*opened);
    // "gone" has its messages where retention will take them.
    for (int i = 0; i < 30; ++i) put("gone", 0, 1, 0);
    for (std::size_t i = 0; i < options_.messages; ++i) put_some(i);
    MQ_ASSERT(store_->wait_dispatched(30'000));
    if (options_.retention) expire();
    note_queues();
    // Entries that dispatch has taken are in memory before they are in a file.
    MQ_ASSERT(store_->sync().has_value());
    if (options_.closed) MQ_ASSERT(store_->close().has_value());
    store_.reset();
    write_state_files();
    return std::move(out_);
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  void put_some(std::size_t i) {
    clock_.advance_ms(static_cast<std::int64_t>(below(700)));
    if (i % 40 == 7)
      return put(std::string(format::kScheduleTopic), static_cast<QueueId>(below(2)), 1, 0);
    if (i % 40 == 17) return put(std::string(kHalfTopic), 0, 1, 0);
    if (i % 40 == 18) return put("orders", 0, 1, format::kTransactionCommit);
    if (i % 40 == 27) return put("orders", 1, 1, format::kTransactionPrepared);
    if (i % 100 == 33) return put("%RETRY%" + std::string(150, 'g'), 0, 1, 0);
    const auto& [topic, queues] = SampleStore::kTopics.at(below(2));
    put(topic, static_cast<QueueId>(below(static_cast<std::size_t>(queues))),
        one_in(10) ? 2 + below(5) : 1, 0);
  }

  std::string make_body() {
    const std::size_t bytes = one_in(20) ? 0 : one_in(8) ? below(3000) : 20 + below(200);
    std::string body;
    std::generate_n(std::back_inserter(body), bytes,
                    [&] { return static_cast<char>('a' + below(26)); });
    return body;
  }
  std::string make_properties(const std::string& topic, QueueId queue, bool batched) {
    std::string out;
    const std::size_t number = next_++;
    // A record without any property, and one that an old client wrote without the last 0x02.
    if (number % 50 == 49) return out;
    if (one_in(2)) {
      std::string keys = fmt::format("k{}", number);
      if (one_in(3)) keys += fmt::format(" shared{}", below(20));
      format::append_property(out, format::kKeys, keys);
    }
    if (!batched || one_in(2))
      format::append_property(out, format::kUniqKey, fmt::format("{:032X}", number));
    if (one_in(2)) format::append_property(out, format::kTags, one_in(2) ? "paid" : "标签");
    if (one_in(2)) format::append_property(out, "region", "eu");
    if (topic == format::kScheduleTopic) {
      format::append_property(out, format::kDelay, std::to_string(queue + 1));
      format::append_property(out, format::kRealTopic, "orders");
      format::append_property(out, format::kRealQueueId, "0");
    }
    if (number % 50 == 48 && !out.empty()) out.pop_back();
    return out;
  }

  void put(const std::string& topic, QueueId queue, std::size_t count, std::int32_t transaction) {
    store::PutCommon common;
    common.topic = topic;
    common.queue_id = queue;
    common.sys_flag = transaction;
    common.born_timestamp_ms = clock_.now_ms() - 5;
    common.born_host = *format::parse_host(one_in(8) ? "[fe80::1]:50001" : "192.168.1.10:50000");
    common.store_host = *format::parse_host(one_in(16) ? "[fe80::2]:10911" : "127.0.0.1:10911");
    if (common.born_host.is_v6()) common.sys_flag |= format::kFlagBornHostV6;
    if (common.store_host.is_v6()) common.sys_flag |= format::kFlagStoreHostV6;
    std::vector<std::string> bodies(count);
    std::vector<std::string> properties(count);
    std::vector<store::PutMessage> messages(count);
    for (std::size_t i = 0; i < count; ++i) {
      bodies[i] = make_body();
      properties[i] = make_properties(topic, queue, count > 1);
      messages[i] = {.flag = static_cast<std::int32_t>(below(3)),
                     .body = as_bytes(bodies[i]),
                     .properties = properties[i]};
    }
    store::PutResult result;
    // The next file is made in the background: it may be late.
    for (int tries = 0; tries < 1000; ++tries) {
      result = count == 1 ? store_->put(common, messages[0]) : store_->put_batch(common, messages);
      if (result.status == store::PutStatus::kOk) break;
    }
    MQ_ASSERT(result.status == store::PutStatus::kOk);
    note(result);
  }

  // The records of a put, as the engine has written them.
  void note(const store::PutResult& result) {
    for (PhysicalOffset at = result.physical_offset; at < result.end;) {
      const auto view = store_->get_record(at);
      MQ_ASSERT(view.has_value());
      const auto record = format::decode_record(view->bytes, format::CheckBody::kCrc);
      MQ_ASSERT(record.has_value());
      SampleMessage m{.topic = std::string(record->topic),
                      .queue = record->queue_id,
                      .queue_offset = record->queue_offset,
                      .at = at,
                      .store_timestamp_ms = record->store_timestamp_ms,
                      .record = std::string(as_text(
                          view->bytes.first(static_cast<std::size_t>(record->total_bytes)))),
                      .has_entry = record->transaction_type() != format::kTransactionPrepared,
                      .keys = {}};
      if (const auto id = format::find_property(record->properties, format::kUniqKey))
        m.keys.emplace_back(*id);
      add_keys(format::find_property(record->properties, format::kKeys).value_or(""), m.keys);
      out_.messages.push_back(std::move(m));
      at += record->total_bytes;
    }
    out_.end = result.end;
    out_.last_store_timestamp_ms = result.store_timestamp_ms;
  }
  static void add_keys(std::string_view keys, std::vector<std::string>& out) {
    while (!keys.empty()) {
      const std::size_t end = keys.find(' ');
      if (end != 0) out.emplace_back(keys.substr(0, end));
      keys = end == std::string_view::npos ? std::string_view() : keys.substr(end + 1);
    }
  }

  void expire() {
    const auto names = fs_.list(root_ + "/commitlog");
    MQ_ASSERT(names.has_value() && names->size() > 4);
    // Each file keeps its time until somebody writes to it.
    for (std::size_t i = 0; i < 2; ++i)
      MQ_ASSERT(fs_.set_mtime_ms(root_ + "/commitlog/" + (*names)[i], kOldMs).has_value());
    const auto deleted = store_->expire_now();
    MQ_ASSERT(deleted.has_value() && *deleted == 2);
    out_.begin = store_->stats().begin;
    std::erase_if(out_.messages, [&](const SampleMessage& m) { return m.at < out_.begin; });
  }

  void note_queues() {
    for (const auto& [topic, queue] : store_->queues()) {
      out_.queues[{topic, queue}] = {store_->min_offset(topic, queue),
                                     store_->max_offset(topic, queue)};
    }
  }

  void write_state_files() {
    format::TopicTable topics;
    format::GroupTable groups;
    format::ConsumerOffsets offsets;
    format::DelayOffsets delays;
    topics.version.bump(clock_.now_ms());
    offsets.version.bump(clock_.now_ms());
    groups.groups["g"] = {.name = "g",
                          .retry_policy_json = R"({"type":"CUSTOMIZED"})",
                          .subscription_data_json = {},
                          .attributes = {}};
    for (const auto& [key, queue] : out_.queues) {
      const auto& [topic, id] = key;
      auto& config = topics.topics[topic];
      config.name = topic;
      config.read_queues = config.write_queues = id + 1;  // the last of a topic comes last
      if (topic == format::kScheduleTopic) {
        delays.offsets[id + 1] = queue.max.value() - 1;
      } else {
        offsets.offsets[topic + "@g"][id] = queue.max.value() - queue.max.value() / 10;
      }
    }
    const auto save = [&](const char* name, const std::string& text) {
      const std::string path = fmt::format("{}/config/{}", root_, name);
      MQ_ASSERT(fs_.make_directories(root_ + "/config").has_value());
      MQ_ASSERT(fs::write_file_atomically(fs_, path, text, false).has_value());
    };
    save("topics.json", format::to_topics_json(topics));
    save("subscriptionGroup.json", format::to_subscription_group_json(groups));
    save("consumerOffset.json", format::to_consumer_offset_json(offsets));
    save("delayOffset.json", format::to_delay_offset_json(delays));
  }

  fs::Fs& fs_;
  const std::string root_;
  const SampleOptions options_;
  std::mt19937_64 random_;
  ManualClock clock_;
  std::unique_ptr<store::MessageStore> store_;
  std::size_t next_ = 1;
  SampleStore out_;
};

}  // namespace

store::StoreOptions sample_options(fs::Fs& fs, Clock& clock, const std::string& root) {
  store::StoreOptions o;
  o.root = root;
  o.fs = &fs;
  o.clock = &clock;
  o.commit_log_file_bytes = SampleStore::kCommitLogFileBytes;
  o.consume_queue_file_bytes = SampleStore::kConsumeQueueFileBytes;
  o.index_shape = SampleStore::kIndexShape;
  o.flush_interval_ms = 5;
  o.queue_flush_interval_ms = 5;
  o.file_reserved_hours = 24;
  o.delete_files_interval_ms = 0;
  o.delete_when = "";
  return o;
}

SampleStore build_sample_store(fs::Fs& fs, const std::string& root, const SampleOptions& options) {
  return Builder(fs, root, options).build();
}

}  // namespace mq::test
