// One JSON state file of the store's config directory: loaded with its .bak as rescue, written
// atomically and only when something changed, so that what another broker wrote stays until there
// is something to say.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "fs/fs.h"

namespace mq::broker {

// Parses `path`; if it is missing, empty or does not parse, `path`.bak. Returns the name of the
// file that was taken, "" when neither exists. Errors: those of the backup when neither is usable,
// kIo.
Result<std::string> load_state_file(fs::Fs& fs, const std::string& path,
                                    const std::function<Result<void>(std::string_view)>& parse);

}  // namespace mq::broker
