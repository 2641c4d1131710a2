// mqdump config: the state files as standard JSON.
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "commands.h"
#include "inspect/store_files.h"

namespace mq::mqdump {
namespace {

int run(const StoreOptions& o) {
  auto files = inspect::read_state_files(fs::posix(), o.directory);
  if (!files) return cli::fail(files.error());
  cli::Output out;
  int status = cli::kExitOk;
  for (const auto& file : *files) {
    auto value = parse_json(file.text);
    if (!value) {
      cli::say(fmt::format("{}/config/{}: {}", o.directory, file.name, value.error().text()));
      status = cli::kExitData;
      continue;
    }
    if (o.json) {
      out.buffer() += R"({"file":)";
      append_json_string(out.buffer(), file.name);
      out.buffer() += R"(,"content":)" + to_json(*value) + "}\n";
    } else {
      fmt::format_to(std::back_inserter(out.buffer()), "# {}\n{}\n", file.name,
                     to_pretty_json(*value));
    }
  }
  return finish({}, out, status);
}

}  // namespace

void add_config(Commands& all) {
  auto o = std::make_shared<StoreOptions>();
  all.add("config", "the state files, as standard JSON", *o, [o] { return run(*o); });
}

}  // namespace mq::mqdump
