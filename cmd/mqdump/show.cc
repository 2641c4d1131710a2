#include "show.h"

#include <fmt/format.h>

#include "cli/inflate.h"
#include "cli/message_json.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

// One line a record, for people.
constexpr std::string_view kLine = "%P %T{strftime:%F %T} %t/%p/%o %S bytes %i %k\\n";

}  // namespace

void add_show_options(cli::Command& command, ShowOptions& options) {
  command
      .add_option("-F,--format", options.format,
                  "%s body %k keys %t topic %p queue %o offset %P physical offset ...")
      ->type_name("FMT");
  command.add_flag("--all-properties", options.all_properties, "with -J: every property as stored");
}

Result<Show> Show::create(const ShowOptions& options) {
  Show out(options);
  MQ_TRY(out.format_, cli::MessageFormat::compile(
                          options.format.empty() ? kLine : std::string_view(options.format)));
  return out;
}

void Show::damaged_body(const format::Record& record, const Error& error) {
  cli::say(fmt::format("record at {}: {}", record.physical_offset.value(), error.text()));
  damaged_ = true;
}

Result<void> Show::record(const format::Record& record) {
  auto body = cli::message_body(record, inflated_);
  if (!body) {
    damaged_body(record, body.error());
    body = record.body;
  }
  const cli::Message message{.record = &record, .body = *body, .broker = {}, .number = ++number_};
  if (options_->json) {
    cli::append_message_json(out_.buffer(), message,
                             {.all_properties = options_->all_properties, .headers_only = false});
    out_.buffer() += '\n';
  } else {
    const std::size_t start = out_.buffer().size();
    format_.append(out_.buffer(), message);
    if (options_->format.empty()) {
      const std::string line = safe(std::string_view(out_.buffer()).substr(start));
      out_.buffer().replace(start, std::string::npos, line);
    }
  }
  return out_.settle();
}

}  // namespace mq::mqdump
