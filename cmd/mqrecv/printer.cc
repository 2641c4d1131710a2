#include "printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/inflate.h"
#include "cli/output.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::mqrecv {

Result<Printer> Printer::create(const Options& options) {
  MQ_TRY(auto filter, Filter::create(options));
  Printer out(options, std::move(filter));
  if (!options.format.empty()) {
    MQ_TRY(out.format_, cli::MessageFormat::compile(options.format));
  }
  MQ_TRY(out.sink_,
         options.directory.empty() ? open_stdout(options.sync) : open_directory(options));
  out.sanitise_ = options.directory.empty() && isatty(1) != 0 && !options.raw && !options.json;
  return out;
}

void Printer::append(std::string& out, const cli::Message& message) {
  const std::size_t start = out.size();
  if (options_->json) {
    cli::append_message_json(
        out, message,
        {.all_properties = options_->all_properties, .headers_only = options_->headers_only});
    out += '\n';
    return;
  }
  if (format_) {
    format_->append(out, message);
  } else {
    if (options_->length_prefix) {
      std::array<std::byte, 4> prefix{};
      store_be(prefix.data(), static_cast<std::int32_t>(message.body.size()));
      out += as_text(prefix);
    }
    if (!options_->headers_only) out += as_text(message.body);
    if (!options_->length_prefix) out += options_->delimiter;
  }
  if (sanitise_) [[unlikely]] {
    const std::string raw = out.substr(start);
    out.resize(start);
    cli::append_harmless(out, raw);
  }
}

std::optional<Bytes> Printer::wanted_body(const format::Record& record) {
  if (!filter_.wants(record)) return std::nullopt;
  auto body = cli::message_body(record, inflated_);
  if (!body) {
    cli::say(fmt::format("{}/{}/{}: {}", record.topic, record.queue_id, record.queue_offset.value(),
                         body.error().text()));
    ++damaged_;
    return std::nullopt;
  }
  // A batch of no messages, as the reference's clients take it: mqdump repair leaves one where a
  // record was lost.
  if (body->empty() && record.is_batch()) return std::nullopt;
  if (!filter_.wants_body(*body)) return std::nullopt;
  return *body;
}

Result<void> Printer::print_one(const format::Record& record, std::string_view broker) {
  if (is_done()) return {};
  const auto body = wanted_body(record);
  if (!body) return {};
  ++printed_;
  bytes_ += static_cast<std::int64_t>(body->size());
  MQ_TRY(std::string* const out, sink_->open(record.topic));
  append(*out, {.record = &record, .body = *body, .broker = broker, .number = printed_});
  return sink_->settle();
}

Result<std::optional<std::int64_t>> Printer::print(Bytes records, std::int64_t end,
                                                   std::string_view broker) {
  while (!records.empty()) {
    auto record = format::decode_record(records, format::CheckBody::kNo);
    if (!record)
      return Error{Errc::kProtocol, "a record that does not decode: " + record.error().text()};
    records = records.subspan(static_cast<std::size_t>(record->total_bytes));
    const std::int64_t offset = record->queue_offset.value();
    if (offset >= end) return std::optional(end);
    if (is_done()) return std::optional(offset);
    if (!options_->group.empty()) record->topic = shown_topic(*record);
    MQ_CHECK(print_one(*record, broker));
  }
  return std::optional<std::int64_t>();
}

void Printer::count(const format::Record& record) {
  ++printed_;
  bytes_ += static_cast<std::int64_t>(record.body.size());
}

std::string_view shown_topic(const format::Record& record) {
  if (!record.topic.starts_with(format::kRetryPrefix)) return record.topic;
  return format::find_property(record.properties, "RETRY_TOPIC").value_or(record.topic);
}

Result<void> Printer::settle_all() {
  return options_->sync || !options_->directory.empty() ? sink_->sync() : sink_->flush();
}

}  // namespace mq::mqrecv
