#include "broker/state_file.h"

#include "base/log.h"

namespace mq::broker {
namespace {

Result<void> load_one(fs::Fs& fs, const std::string& path,
                      const std::function<Result<void>(std::string_view)>& parse) {
  MQ_TRY(const std::string text, fs::read_file(fs, path));
  if (text.empty()) return Error{Errc::kNotFound, path + ": empty"};
  if (auto done = parse(text); !done) return std::move(done).error().within(path);
  return {};
}

}  // namespace

Result<std::string> load_state_file(fs::Fs& fs, const std::string& path,
                                    const std::function<Result<void>(std::string_view)>& parse) {
  auto main = load_one(fs, path, parse);
  if (main) return path;
  const std::string backup = path + ".bak";
  auto rescue = load_one(fs, backup, parse);
  if (rescue) {
    log::warn("{}: not usable ({}), took {} instead", path, main.error().to_string(), backup);
    return backup;
  }
  const bool nothing_there =
      main.error().code() == Errc::kNotFound && rescue.error().code() == Errc::kNotFound;
  if (nothing_there) return std::string();
  return std::move(main.error().code() == Errc::kNotFound ? rescue : main).error();
}

}  // namespace mq::broker
