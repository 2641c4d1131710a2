// mqdump config: the state files as standard JSON.
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "commands.h"
#include "inspect/json_leaves.h"
#include "inspect/store_files.h"
#include "line_format.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string file;  // "": all
  std::string format;
};

constexpr std::string_view kLetters = "fkv";

void append(const Options& o, const LineFormat& format, const std::string& name,
            const json::value& value, std::string& out) {
  if (!o.format.empty()) {
    inspect::for_each_leaf(value, [&](const std::string& path, const std::string& text) {
      format.append(out, [&](char letter, std::string& to) {
        to += letter == 'f' ? name : letter == 'k' ? path : text;
      });
    });
  } else if (o.json) {
    out += R"({"file":)";
    append_json_string(out, name);
    out += R"(,"content":)" + to_json(value) + "}\n";
  } else {
    fmt::format_to(std::back_inserter(out), "# {}\n{}\n", name, to_pretty_json(value));
  }
}

// What a broker will do about a state file that cannot be read (store-format.md 6.3).
std::string about_backup(const std::string& path) {
  const auto text = fs::read_file(fs::posix(), path + ".bak");
  if (!text) return "and there is no .bak";
  return parse_json(*text) ? "a broker takes the .bak, which is readable"
                           : "and its .bak is not readable either";
}

int run(const Options& o) {
  auto format = LineFormat::compile(o.format, kLetters);
  if (!format) return cli::fail(format.error());
  if (auto there = fs::posix().stat(o.directory); !there) return cli::fail(there.error());
  auto files = inspect::read_state_files(fs::posix(), o.directory);
  if (!files) return cli::fail(files.error());
  cli::Output out;
  int status = cli::kExitOk;
  bool found = false;
  for (const auto& file : *files) {
    if (!o.file.empty() && file.name != o.file) continue;
    found = true;
    const std::string path = o.directory + "/config/" + file.name;
    const auto value = parse_json(file.text);
    if (value) {
      append(o, *format, file.name, *value, out.buffer());
      continue;
    }
    cli::say(fmt::format("{}: {}; {}", path, value.error().text(), about_backup(path)));
    status = cli::kExitData;
  }
  if (!found && !o.file.empty()) {
    cli::say(fmt::format("no state file {} in {}/config", o.file, o.directory));
    return cli::kExitNoInput;
  }
  return finish({}, out, status);
}

}  // namespace

void add_config(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("config", "the state files, as standard JSON", *o, [o] { return run(*o); });
  app->add_option("file", o->file, "only that one, as topics.json")->type_name("FILE");
  app->add_option("-F,--format", o->format, "a line a value: %f file %k name %v value")
      ->type_name("FMT");
}

}  // namespace mq::mqdump
